#!/usr/bin/env node
// Starts the vpai command on any Node: provides a Node that runs TypeScript directly and the npm packages,
// then hands over to ops/cli/main.ts. Plain and old-fashioned, so that an old Node can read it far enough to say what is wrong.
/* eslint-disable @typescript-eslint/no-require-imports -- CommonJS is what every Node reads */
"use strict";

var MINIMUM = [22, 18]; // runs TypeScript without a flag
var OWN_MINIMUM = 16;

var major = Number(process.versions.node.split(".")[0]);
if (major < OWN_MINIMUM) {
  console.error(
    "node: " +
      process.versions.node +
      "\n  allowed: " +
      MINIMUM.join(".") +
      " or newer (" +
      OWN_MINIMUM +
      " is enough on Linux, where vpai fetches its own)\n  do: install Node.js: https://nodejs.org/en/download",
  );
  process.exit(1);
}

if (process.argv[2] === "--version" || process.argv[2] === "-V") {
  console.log(require("../package.json").version);
} else {
  require("./launch.js")
    .main(MINIMUM)
    .catch(function (error) {
      console.error(error.operator ? error.message : error.stack);
      process.exitCode = 1;
    });
}

// Loads two of the SDK's dependencies when they are first used, instead of in every run: 0.4 s of processor time, a third
// of a run that changes nothing (SDK 3.259). Both serve only to serialise functions, as dynamic providers do:
// runtime/closure/codePaths.js wants @npmcli/arborist, typescript-shim.js wants typescript.
// Required before the program by Pulumi.yaml; CommonJS because that is what `--require` takes.
/* eslint-disable @typescript-eslint/no-require-imports -- see above */
"use strict";

const Module = require("node:module");

const LAZY = new Set(["@npmcli/arborist", "typescript"]);
const load = Module._load;

Module._load = function (request, parent, isMain) {
  if (!LAZY.has(request) || !/[\\/]@pulumi[\\/]pulumi[\\/]/.test(parent?.filename ?? "")) {
    return load.call(Module, request, parent, isMain);
  }
  let real;
  // Claims to be an ES module, so that the SDK's import helper takes it as it is and does not list its members.
  const get = (_target, key) =>
    key === "__esModule" ? true : (real ??= load.call(Module, request, parent, isMain))[key];
  return new Proxy({}, { get });
};

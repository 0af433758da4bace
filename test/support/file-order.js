import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// JavaScript: jest loads it before it can transform anything, and may be run by a Node that does not read TypeScript.
// By require: an import does not give the default export of its CommonJS build where types are those of that build.
const { default: Sequencer } = createRequire(import.meta.url)("@jest/test-sequencer");

/** How a test file asks for the converged server, in the order in which going from one to the next costs least. */
const STARTS = [
  // The server is made converged, and a file that leaves it so hands it on.
  /ConvergedServer\.open\(\)[^]*\.closeUnchanged\(\)/,
  /ConvergedServer\.open\(\)/,
  // Made from the converged server, whatever is left of it.
  /ConvergedServer\.open\(LIGHT\)[^]*\.closeUnchanged\(\)/,
  /ConvergedServer\.open\(LIGHT\)/,
  /ConvergedServer\.open\(EMPTY\)/,
];

/** Files that start from the same snapshot of the converged server run one after the other; no file depends on that. */
export default class FileOrder extends Sequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    return sorted.toSorted((a, b) => startOf(a.path) - startOf(b.path));
  }
}

function startOf(path) {
  const text = readFileSync(path, "utf8");
  const start = STARTS.findIndex((pattern) => pattern.test(text));
  return start === -1 ? STARTS.length : start;
}

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as TestSequencer from "@jest/test-sequencer";

// Its types are those of its CommonJS build, whose default export an import does not give.
const { default: Sequencer } = createRequire(import.meta.url)("@jest/test-sequencer") as {
  readonly default: typeof TestSequencer.default.default;
};
type Tests = Parameters<InstanceType<typeof Sequencer>["sort"]>[0];

/** How a test file asks for the converged server, in the order in which going from one to the next costs least. */
const STARTS = [
  // The server is made converged, and a file that leaves it so hands it on.
  /ConvergedServer\.open\(\)[^]*\.closeUnchanged\(\)/,
  /ConvergedServer\.open\(\)/,
  // Made from the converged server.
  /ConvergedServer\.open\(LIGHT\)/,
  /ConvergedServer\.open\(EMPTY\)/,
];

/** Files that start from the same snapshot of the converged server run one after the other; no file depends on that. */
export default class FileOrder extends Sequencer {
  override async sort(tests: Tests): Promise<Tests> {
    const sorted = await super.sort(tests);
    return sorted.toSorted((a, b) => startOf(a.path) - startOf(b.path));
  }
}

function startOf(path: string): number {
  const text = readFileSync(path, "utf8");
  const start = STARTS.findIndex((pattern) => pattern.test(text));
  return start === -1 ? STARTS.length : start;
}

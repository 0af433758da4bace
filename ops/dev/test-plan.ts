import { OperatorError } from "../../shared/errors.ts";

/** In the order in which they run: what is quick first. */
const layers = ["unit", "components", "program", "sandbox", "e2e", "go"] as const;
export type Layer = (typeof layers)[number];

/** What a word on the command line stands for. */
const groups: Readonly<Record<string, readonly Layer[]>> = {
  unit: ["unit", "components", "program"],
  e2e: ["sandbox", "e2e", "go"],
};

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** Layers that found no test: never a success. */
  readonly empty: readonly string[];
}

/**
 * The layers that the operator's words name, each once and in order. None: all. With `full` those alone whose tests take
 * other images then: the sandbox's own are about the fakes.
 *
 * @throws OperatorError when that is none
 */
export function chosenLayers(words: readonly string[], full = false): readonly Layer[] {
  const wanted = new Set(words.length === 0 ? layers : words.flatMap((word) => groups[word] ?? [word as Layer]));
  const chosen = layers.filter((layer) => wanted.has(layer) && (!full || layer === "e2e"));
  if (chosen.length > 0) return chosen;
  throw new OperatorError({
    key: "--full",
    found: words.join(" "),
    allowed: "e2e, or no layer",
    fix: "leave --full out, or the layer",
  });
}

export interface JestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly numTotalTests: number;
}

/** A jest run's counts. A file that does not even load counts as one failure. */
export function tallyJest(layer: string, summary: JestSummary): Tally {
  const failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites;
  return { passed: summary.numPassedTests, failed, empty: summary.numTotalTests + failed === 0 ? [layer] : [] };
}

/** The counts in `go test -json`; tests below a test are part of it. A package that does not build is one failure. */
export function tallyGo(output: string): Tally {
  let passed = 0;
  let failed = 0;
  for (const line of output.split("\n").filter((each) => each.startsWith("{"))) {
    const { Action, Test, FailedBuild } = JSON.parse(line) as { Action: string; Test?: string; FailedBuild?: string };
    if (Test !== undefined && !Test.includes("/")) {
      if (Action === "pass") passed += 1;
      if (Action === "fail") failed += 1;
    } else if (Test === undefined && Action === "fail" && FailedBuild !== undefined) failed += 1;
  }
  return { passed, failed, empty: passed + failed === 0 ? ["go"] : [] };
}

export const addTallies = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((sum, { passed }) => sum + passed, 0),
  failed: tallies.reduce((sum, { failed }) => sum + failed, 0),
  empty: tallies.flatMap(({ empty }) => empty),
});

import { relative } from "node:path";
import { OperatorError } from "../../shared/errors.ts";

/** In the order in which they run: what is quick first. */
const layers = ["unit", "components", "program", "sandbox", "e2e", "go"] as const;
export type Layer = (typeof layers)[number];

/** What a word on the command line stands for. */
const groups: Readonly<Record<string, readonly Layer[]>> = {
  unit: ["unit", "components", "program"],
  e2e: ["sandbox", "e2e", "go"],
  stack: ["e2e"],
};

/** Layers that one jest runs together, and how many of their files at a time. */
export interface JestRun {
  readonly layers: readonly Layer[];
  /** @default one for each processor: jest's own leaves one idle */
  readonly workers: number | undefined;
}

/**
 * The jest runs of these layers. The quick ones share one, which keeps all processors busy. Tests of the sandbox's images
 * mostly wait for a container, so two go together; those on the converged server use it one after the other.
 */
export function jestRuns(chosen: readonly Layer[]): JestRun[] {
  const runs: JestRun[] = [
    { layers: groups["unit"] ?? [], workers: undefined },
    { layers: ["sandbox"], workers: 2 },
    { layers: ["e2e"], workers: 1 },
  ];
  return runs
    .map((run) => ({ ...run, layers: run.layers.filter((layer) => chosen.includes(layer)) }))
    .filter(({ layers }) => layers.length > 0);
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** Layers that found no test: never a success. */
  readonly empty: readonly string[];
}

/**
 * The layers named on the command line, each once and in order; all if none is named. With `stackOnly`, only those whose
 * tests use other images then: the sandbox's own tests are about the fakes.
 *
 * @throws OperatorError when that is none
 */
export function chosenLayers(words: readonly string[], stackOnly = false): readonly Layer[] {
  const wanted = new Set(words.length === 0 ? layers : words.flatMap((word) => groups[word] ?? [word as Layer]));
  const chosen = layers.filter((layer) => wanted.has(layer) && (!stackOnly || layer === "e2e"));
  if (chosen.length > 0) return chosen;
  throw new OperatorError({
    key: "--images",
    found: words.join(" "),
    allowed: "e2e, or no layer",
    fix: "leave the option out, or the layer",
  });
}

/** The part of jest's JSON that is used here. */
export interface JestSummary {
  readonly testResults: readonly {
    /** The file's path. */
    readonly name: string;
    readonly status: "passed" | "failed" | "skipped" | "pending" | "focused";
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
    /** Why the file failed outside its tests. */
    readonly message: string;
  }[];
}

/** A layer's counts in a jest run. A file that does not load, or that fails outside its tests, counts as one failure. */
export function tallyJest(layer: Layer, { testResults }: JestSummary): Tally {
  const files = testResults.filter(({ name }) => name.includes(`/test/${layer}/`));
  const count = (file: JestSummary["testResults"][number], status: string): number =>
    file.assertionResults.filter((each) => each.status === status).length;
  const passed = files.reduce((sum, file) => sum + count(file, "passed"), 0);
  const failed = files.reduce((sum, file) => sum + (count(file, "failed") || (file.status === "failed" ? 1 : 0)), 0);
  return { passed, failed, empty: passed + failed === 0 ? [layer] : [] };
}

/** The files that took longest, a line each. */
export function slowestFiles(summaries: readonly JestSummary[], root: string, count = 10): string[] {
  return summaries
    .flatMap(({ testResults }) => testResults)
    .map(({ name, startTime, endTime }) => ({ file: relative(root, name), seconds: (endTime - startTime) / 1000 }))
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, count)
    .map(({ file, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${file}`);
}

/** The tests that failed, a line each: what the log holds of each is far above. */
export function failedTests(summaries: readonly JestSummary[], root: string): string[] {
  return summaries
    .flatMap(({ testResults }) => testResults)
    .filter(({ status }) => status === "failed")
    .flatMap(({ name, assertionResults, message }) => {
      const file = relative(root, name);
      const failed = assertionResults.filter(({ status }) => status === "failed");
      if (failed.length > 0) return failed.map(({ fullName }) => `  ${file}: ${fullName}`);
      return [`  ${file}: ${message.trim().split("\n")[0] ?? ""}`];
    });
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

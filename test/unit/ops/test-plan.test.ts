import { describe, expect, test } from "@jest/globals";
import { chosenLayers, failedTests, jestRuns, slowestFiles, tallyGo, tallyJest } from "../../../ops/dev/test-plan.ts";

describe("the layers of a test run", () => {
  const all = ["unit", "components", "program", "sandbox", "e2e", "go"];
  test.each([
    [[], false, all],
    [["unit"], false, ["unit", "components", "program"]],
    [["e2e"], false, ["sandbox", "e2e", "go"]],
    [["stack"], false, ["e2e"]],
    [["go", "program"], false, ["program", "go"]],
    [["e2e", "unit", "e2e"], false, all],
    // On the products themselves: those tests alone that the products change.
    [[], true, ["e2e"]],
    [["e2e"], true, ["e2e"]],
  ])("%j, of the stack alone: %j", (words, stackOnly, layers) => {
    expect(chosenLayers(words, stackOnly)).toEqual(layers);
  });

  test("that no product changes are not run on the products", () => {
    expect(() => chosenLayers(["unit"], true)).toThrow("--images: unit");
  });
});

test("layers that are quick share one jest, the others have one each", () => {
  expect(jestRuns(["components", "sandbox", "e2e", "go"])).toEqual([
    { layers: ["components"], workers: undefined },
    { layers: ["sandbox"], workers: 2 },
    { layers: ["e2e"], workers: 1 },
  ]);
});

describe("a tally", () => {
  const file = (name: string, status: "passed" | "failed", results: readonly string[], seconds = 1) => ({
    name: `/clone/test/${name}`,
    status,
    startTime: 1_000,
    endTime: 1_000 + seconds * 1_000,
    assertionResults: results.map((each, at) => ({ status: each, fullName: `test ${at + 1}` })),
    message: "  the file fails\n  in its first line",
  });

  test("of jest counts a file that does not load as a failure, and none at all as nothing proven", () => {
    const testResults = [
      file("e2e/a.test.ts", "failed", ["passed", "failed", "passed"]),
      file("e2e/does-not-load.test.ts", "failed", []),
      file("e2e/fails-after-its-tests.test.ts", "failed", ["passed"]),
      file("unit/e2e.test.ts", "passed", ["passed", "pending"]),
    ];
    expect(tallyJest("e2e", { testResults })).toEqual({ passed: 3, failed: 3, empty: [] });
    expect(tallyJest("unit", { testResults })).toEqual({ passed: 1, failed: 0, empty: [] });
    expect(tallyJest("sandbox", { testResults })).toEqual({ passed: 0, failed: 0, empty: ["sandbox"] });
  });

  test("of times names the slowest files of all runs", () => {
    const runs = [
      { testResults: [file("unit/a.test.ts", "passed", [], 0.25), file("unit/b.test.ts", "passed", [], 2)] },
      { testResults: [file("e2e/c.test.ts", "failed", [], 83)] },
    ];
    expect(slowestFiles(runs, "/clone", 2)).toEqual([
      "   83.0 s  test/e2e/c.test.ts",
      "    2.0 s  test/unit/b.test.ts",
    ]);
  });

  test("names what failed: the tests, or the file where none of its tests did", () => {
    const testResults = [
      file("e2e/a.test.ts", "failed", ["passed", "failed", "failed"]),
      file("e2e/does-not-load.test.ts", "failed", []),
      file("e2e/b.test.ts", "passed", ["passed"]),
    ];
    expect(failedTests([{ testResults }], "/clone")).toEqual([
      "  test/e2e/a.test.ts: test 2",
      "  test/e2e/a.test.ts: test 3",
      "  test/e2e/does-not-load.test.ts: the file fails",
    ]);
  });

  test("of Go counts tests, not those below them, and packages that do not build", () => {
    const lines = [
      { Action: "run", Test: "A" },
      { Action: "pass", Test: "A/below" },
      { Action: "pass", Test: "A" },
      { Action: "fail", Test: "B" },
      { Action: "fail" },
      { Action: "fail", FailedBuild: "m/x" },
    ];
    const output = ["no JSON", ...lines.map((line) => JSON.stringify(line))].join("\n");
    expect(tallyGo(output)).toEqual({ passed: 1, failed: 2, empty: [] });
    expect(tallyGo("")).toEqual({ passed: 0, failed: 0, empty: ["go"] });
  });
});

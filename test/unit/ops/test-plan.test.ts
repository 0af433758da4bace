import { describe, expect, test } from "@jest/globals";
import { chosenLayers, tallyGo, tallyJest } from "../../../ops/dev/test-plan.ts";

describe("the layers of a test run", () => {
  const all = ["unit", "components", "program", "sandbox", "e2e", "go"];
  test.each([
    [[], false, all],
    [["unit"], false, ["unit", "components", "program"]],
    [["e2e"], false, ["sandbox", "e2e", "go"]],
    [["go", "program"], false, ["program", "go"]],
    [["e2e", "unit", "e2e"], false, all],
    // On the products themselves: those tests alone that the products change.
    [[], true, ["e2e"]],
    [["e2e"], true, ["e2e"]],
  ])("%j, full: %j", (words, full, layers) => {
    expect(chosenLayers(words, full)).toEqual(layers);
  });

  test("that no product changes are not run on the products", () => {
    expect(() => chosenLayers(["unit"], true)).toThrow("--full: unit");
  });
});

describe("a tally", () => {
  const summary = { numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 1, numTotalTests: 4 };
  test("of jest counts a file that does not load as a failure, and none at all as nothing proven", () => {
    expect(tallyJest("e2e", summary)).toEqual({ passed: 3, failed: 2, empty: [] });
    const nothing = { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0, numTotalTests: 0 };
    expect(tallyJest("e2e", nothing)).toEqual({ passed: 0, failed: 0, empty: ["e2e"] });
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

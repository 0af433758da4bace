import { describe, expect, test } from "@jest/globals";
import { compare, renderTimes, renderVerdict, summarise, type Times } from "../../../bench/support/statistics.ts";
import { parseDuration, stepTimes } from "../../../bench/support/steps.ts";
import { duration } from "../../../ops/engine/progress.ts";

const always = (ms: number): Times => summarise([ms]);

describe("a series of times", () => {
  test.each([
    [[3], { runs: 1, min: 3, median: 3, max: 3 }],
    [[9, 1, 5], { runs: 3, min: 1, median: 5, max: 9 }],
    [[10, 2, 4, 8], { runs: 4, min: 2, median: 6, max: 10 }],
    // As numbers, not as text.
    [[1000, 20, 300], { runs: 3, min: 20, median: 300, max: 1000 }],
  ])("%j has its least, middle and greatest", (samples, times) => {
    expect(summarise(samples)).toEqual(times);
  });

  test("is refused when it is empty", () => {
    expect(() => summarise([])).toThrow("no samples");
  });

  test("is a line of a table", () => {
    const rows = [["ours", summarise([2500, 2400, 12_340])] as const, ["the floor", always(1600)] as const];
    expect(renderTimes(rows)).toBe(
      [
        "           runs     min  median      max",
        "ours          3  2.40 s  2.50 s  12.34 s",
        "the floor     1  1.60 s  1.60 s   1.60 s",
      ].join("\n"),
    );
  });
});

describe("the two promises", () => {
  test("hold at their very limit", () => {
    const verdict = compare(always(2000), always(1500), always(10_000), 20);
    expect(verdict).toEqual({ ratio: 5, ratioHolds: true, msAResource: 25, msHolds: true });
  });

  test("say it when they do not hold", () => {
    expect(renderVerdict(compare(always(2010), always(1500), always(10_000), 20))).toBe(
      [
        "ansible / ours: 5.0 (promised: at least 5) – DOES NOT HOLD",
        "(ours − floor) / resources: 25.5 ms (promised: at most 25) – DOES NOT HOLD",
      ].join("\n"),
    );
  });
});

describe("the steps of `vpai start`", () => {
  test.each([0, 900, 9_900, 12_000, 59_000, 60_000, 75_000, 600_000])("%d ms is read as it is printed", (ms) => {
    expect(parseDuration(duration(ms))).toBe(ms);
  });

  test.each(["", "s", "12", "12 s more", "1 min"])("%j is no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test("are the lines that are ticked", () => {
    const said = ["✓ engine and sandbox 2.7 s", "  building", "+ vps server created 2.0 s", "✓ stack 1 min 05 s"];
    expect(stepTimes(said.join("\n"))).toEqual([
      ["engine and sandbox", 2700],
      ["stack", 65_000],
    ]);
  });
});

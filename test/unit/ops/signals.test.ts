import { expect, test } from "@jest/globals";
import { BURST_MS, type OnSignal, SignalCounter } from "../../../ops/engine/signals.ts";

test.each<[string, number[], OnSignal[]]>([
  ["one", [0], ["stop"]],
  ["the same one twice, by the group and by its leader", [0, 3], ["stop", "nothing"]],
  ["a burst", [0, 100, 300, 900], ["stop", "nothing", "nothing", "nothing"]],
  ["a burst that lasts", [0, 900, 1_800, 2_700], ["stop", "nothing", "nothing", "nothing"]],
  ["a second request", [0, BURST_MS], ["stop", "abort"]],
  ["two bursts", [0, 5, 4_000, 4_005], ["stop", "nothing", "abort", "nothing"]],
])("%s", (_, times, answers) => {
  const counter = new SignalCounter();
  expect(counter.requested).toBe(false);
  expect(times.map((at) => counter.next(at))).toEqual(answers);
  expect(counter.requested).toBe(true);
});

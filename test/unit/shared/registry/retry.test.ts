import { expect, test } from "@jest/globals";
import { type Ended, pauseBefore, retryAfterMs } from "../../../../shared/registry/retry.ts";

const now = Date.parse("2026-11-24T12:00:00Z");
const answered = (status: number, retryAfter?: string): Ended => ({ status, retryAfter });
const silent: Ended = { status: "none" };

test.each<[string, number, Ended, number | undefined]>([
  ["an answer", 1, answered(200), undefined],
  ["an image that is not there", 1, answered(404), undefined],
  ["a refusal", 1, answered(403), undefined],
  ["silence", 1, silent, 1_000],
  ["silence again", 2, silent, 2_000],
  ["silence for the third time", 3, silent, undefined],
  ["a broken registry", 1, answered(503), 1_000],
  ["a busy registry that does not say until when", 1, answered(429), 1_000],
  ["a busy registry that says when", 1, answered(429, "7"), 7_000],
  ["a broken registry that says when", 2, answered(503, "3"), 3_000],
  ["a busy registry that wants to be left alone for long", 1, answered(429, "3600"), undefined],
  ["a busy registry, often enough", 3, answered(429, "1"), undefined],
])("after %s (try %i)", (_name, tried, ended, pause) => {
  expect(pauseBefore(tried, ended, now)).toBe(pause);
});

test.each([
  ["seconds", "120", 120_000],
  ["none", "0", 0],
  ["a date", "Tue, 24 Nov 2026 12:00:30 GMT", 30_000],
  ["a date that is past", "Tue, 24 Nov 2026 11:00:00 GMT", 0],
  ["Docker Hub's second of the epoch", String(now / 1_000 + 60), 60_000],
  ["nonsense", "soon", undefined],
  ["nothing", "", undefined],
])("Retry-After with %s", (_name, header, ms) => {
  expect(retryAfterMs(header, now)).toBe(ms);
});

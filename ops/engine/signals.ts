/**
 * A CI that cancels, and `timeout`, signal the whole process group: one request then arrives several times. What comes
 * within this time is one.
 */
export const BURST_MS = 1_000;

/** What to do at a signal. */
export type OnSignal = "stop" | "abort" | "nothing";

/** Distinguishes a second request from the echo of the first. */
export class SignalCounter {
  #last = Number.NEGATIVE_INFINITY;
  #requests = 0;

  /** `at` in milliseconds. */
  next(at: number): OnSignal {
    const echo = at - this.#last < BURST_MS;
    this.#last = at;
    if (echo) return "nothing";
    this.#requests += 1;
    return this.#requests === 1 ? "stop" : "abort";
  }

  get requested(): boolean {
    return this.#requests > 0;
  }
}

import { ask, type Answer, type Ask } from "./https.ts";

/** What came of a stream of requests. */
export interface LoadResult {
  readonly sent: number;
  readonly failures: readonly string[];
  /** The longest time from a request to its answer. */
  readonly longestMs: number;
}

export interface Load {
  /** Resolves once that many requests have been answered. */
  firstAnswers(count: number): Promise<void>;
  /** Sends no more, waits for what is under way. */
  stop(): Promise<LoadResult>;
}

/** The most requests that one stream sends: whatever happens, it ends. */
const LIMIT = 6_000;

/**
 * Sends `perSecond` requests a second, each on a connection of its own unless `to` has an agent, whether or not earlier
 * ones are answered, and none after the first `limit`.
 */
export function steadyRequests(
  to: Ask,
  perSecond: number,
  good: (answer: Answer) => boolean,
  limit: number = LIMIT,
): Load {
  const failures: string[] = [];
  const underWay = new Set<Promise<void>>();
  let [sent, answered, longestMs] = [0, 0, 0];
  const send = async (): Promise<void> => {
    const from = Date.now();
    const number = (sent += 1);
    try {
      const answer = await ask(to);
      if (!good(answer)) failures.push(`request ${number}: ${answer.status} ${answer.body.slice(0, 100)}`);
    } catch (error) {
      failures.push(`request ${number}: ${error instanceof Error ? error.message : String(error)}`);
    }
    answered += 1;
    longestMs = Math.max(longestMs, Date.now() - from);
  };
  const timer = setInterval(() => {
    if (sent >= limit) return clearInterval(timer);
    const one = send().finally(() => underWay.delete(one));
    underWay.add(one);
  }, 1_000 / perSecond);
  return {
    firstAnswers: async (count) => {
      const { until } = await import("./until.ts");
      await until(`${count} answers`, 60_000, async () => (answered >= count ? true : undefined));
    },
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      return { sent, failures, longestMs };
    },
  };
}

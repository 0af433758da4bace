/** How a request ended, as far as trying it again is concerned. */
export interface Ended {
  readonly status: number | "none";
  /** The header of that name. */
  readonly retryAfter?: string | undefined;
}

/** Tries of one request, the first included. */
export const TRIES = 3;
/** A registry that says to come back later than this is not waited for. */
export const LONGEST_PAUSE_MS = 30_000;

/**
 * Milliseconds to wait before the next try; undefined when there is no point in one.
 *
 * @param tried how often it was tried by now
 */
export function pauseBefore(
  tried: number,
  { status, retryAfter }: Ended,
  now: number,
  tries = TRIES,
): number | undefined {
  const passing = status === "none" || status === 429 || status >= 500;
  if (tried >= tries || !passing) return undefined;
  const requested = retryAfterMs(retryAfter, now);
  if (requested === undefined) return 1_000 * 2 ** (tried - 1);
  return requested <= LONGEST_PAUSE_MS ? requested : undefined;
}

/** `Retry-After` in milliseconds from now: seconds, a date, or (Docker Hub) the second of the epoch. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.trim() === "") return undefined;
  const number = Number(header);
  const at = Number.isNaN(number) ? Date.parse(header) : number > 1e9 ? number * 1_000 : now + number * 1_000;
  return Number.isNaN(at) ? undefined : Math.max(at - now, 0);
}

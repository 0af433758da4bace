/** What remains of a project's requests, as the RateLimit headers say it. */
export interface Allowance {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** UNIX seconds at which the full number will be there again. */
  readonly reset: number;
}

/** 3600 requests an hour for a project, one more each second, bursts allowed: https://docs.hetzner.cloud/#rate-limiting. */
export class RateLimit {
  readonly #limit: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  constructor(now: () => number, limit = 3600) {
    this.#limit = limit;
    this.#now = now;
    this.#tokens = limit;
    this.#at = now();
  }

  take(): Allowance {
    const now = this.#now();
    const perMs = this.#limit / 3_600_000;
    this.#tokens = Math.min(this.#limit, this.#tokens + (now - this.#at) * perMs);
    this.#at = now;
    const allowed = this.#tokens >= 1;
    if (allowed) {
      this.#tokens -= 1;
    }
    const remaining = Math.floor(this.#tokens);
    const reset = Math.ceil((now + (this.#limit - this.#tokens) / perMs) / 1000);
    return { allowed, limit: this.#limit, remaining, reset };
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import createClient from "ovh";

/** The right to use OVH's API, as its page for tokens shows it. */
export interface OvhCredentials {
  readonly applicationKey: string;
  readonly applicationSecret: string;
  readonly consumerKey: string;
}

export interface OvhOptions {
  /** https, with version. */
  readonly endpoint: string;
  readonly credentials: OvhCredentials;
  /** Waits before another try; tests do not. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** From 0 to 1. @default Math.random */
  readonly random?: () => number;
  /** How long one request may take. @default 30 000 */
  readonly timeoutMs?: number;
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** A request that failed. The words are the API's or the network's, and hold no secret. */
export class OvhError extends Error {
  /** Undefined where there was no answer. */
  readonly status: number | undefined;

  constructor(method: Method, path: string, status: number | undefined, words: string) {
    super(`OVH: ${method} ${path}: ${status === undefined ? "no answer" : status}${words && ` (${words})`}`);
    this.name = "OvhError";
    this.status = status;
  }

  /** Whether it may succeed if it is tried again; the request may have been carried out. */
  get passing(): boolean {
    return this.status === undefined || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

const TRIES = 8;

/**
 * OVH's own client, which has no types, no second try, and no errors but plain objects; it changes the parameters that
 * it is given, and its time limit adds a listener to the connection with each request. One request after the other: the zone is written in order,
 * and some 20 requests a second are allowed.
 */
export class OvhClient {
  readonly #client: ReturnType<typeof createClient>;
  readonly #options: OvhOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: OvhOptions) {
    const { endpoint, credentials } = options;
    const { protocol, hostname, port, pathname } = new URL(endpoint);
    if (protocol !== "https:") throw new Error(`OVH's API takes https alone: ${endpoint}`);
    this.#options = options;
    this.#client = createClient({
      host: hostname,
      port: Number(port || 443),
      basePath: pathname.replace(/\/$/, ""),
      appKey: credentials.applicationKey,
      appSecret: credentials.applicationSecret,
      consumerKey: credentials.consumerKey,
    });
  }

  /** One request; tries again while the API is busy or out of order. `again` decides before each further try. */
  async call<T>(
    method: Method,
    path: string,
    params: Readonly<Record<string, unknown>> = {},
    again: () => Promise<T | undefined> = () => Promise.resolve(undefined),
  ): Promise<T> {
    const { pause = sleep, random = Math.random } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#queued(() => this.#once<T>(method, path, params));
      } catch (error) {
        if (!(error instanceof OvhError) || !error.passing || attempt === TRIES) throw error;
        // Half of the wait is by chance: clients that failed together do not come back together.
        await pause(Math.min(500 * 2 ** (attempt - 1), 10_000) * (0.5 + random() / 2));
        const done = await again();
        if (done !== undefined) return done;
      }
    }
  }

  async #queued<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #once<T>(method: Method, path: string, params: Readonly<Record<string, unknown>>): Promise<T> {
    const { timeoutMs = 30_000 } = this.#options;
    const limit = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: limit.signal, ref: false }).then(
      () => Promise.reject(new OvhError(method, path, undefined, `within ${timeoutMs / 1_000} s`)),
      () => new Promise<never>(() => undefined),
    );
    try {
      return (await Promise.race([this.#client.requestPromised(method, path, { ...params }), late])) as T;
    } catch (error) {
      throw error instanceof OvhError ? error : failure(method, path, error);
    } finally {
      limit.abort();
    }
  }
}

/** OVH's client rejects with `{ error, message }`. */
function failure(method: Method, path: string, rejected: unknown): OvhError {
  const { error, message } = rejected as { error?: unknown; message?: unknown };
  // A system's error number is negative.
  const status = typeof error === "number" && error > 0 ? error : undefined;
  const words = [message, error instanceof Error ? error.message : error].find((each) => typeof each === "string");
  return new OvhError(method, path, status, words ?? "");
}

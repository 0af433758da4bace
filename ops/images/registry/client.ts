import { setTimeout as sleep } from "node:timers/promises";
import { Agent, buildConnector, type Dispatcher, request } from "undici";
import { apiHost, type ImageRef } from "../../../shared/image-ref.ts";
import { type Answer, errorIn, header, jsonIn, MANIFEST_TYPES, RegistryTrouble } from "./response.ts";
import { parseChallenge, tokenIn, tokenUrl } from "./auth.ts";
import { pauseBefore, retryAfterMs } from "./retry.ts";
import { nextPage } from "../versions.ts";

export interface RegistryOptions {
  /** Every registry is reached here, under its own name, and believed by this authority alone: the sandbox's front. */
  readonly through?: { readonly address: string; readonly port?: number; readonly ca: string };
  /** How long one answer may take. @default 15 000 */
  readonly timeoutMs?: number;
  /** Waits; tests do not. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/**
 * Reads registries by the OCI distribution protocol, as `docker pull` without a login does: with an anonymous token
 * if one is required, and with retries as the registry requests.
 */
export class Registries {
  readonly #agent: Dispatcher;
  readonly #timeoutMs: number;
  readonly #pause: (ms: number) => Promise<unknown>;
  /** By repository. */
  readonly #tokens = new Map<string, string>();

  constructor({ through, timeoutMs = 15_000, pause = (ms) => sleep(ms) }: RegistryOptions = {}) {
    this.#agent = new Agent(through ? { connect: elsewhere(through) } : {});
    this.#timeoutMs = timeoutMs;
    this.#pause = pause;
  }

  /** Asks for the manifest of a tag or digest. HEAD does not count against Docker Hub's limit of pulls, GET does. */
  manifest(pin: ImageRef, reference: string, method: "GET" | "HEAD"): Promise<Answer> {
    return this.#ask(pin, new URL(`/v2/${pin.path}/manifests/${reference}`, origin(pin)), method);
  }

  /** All tags of the pin's repository, page after page. */
  async allTags(pin: ImageRef): Promise<string[]> {
    const found: string[] = [];
    const seen = new Set<string>();
    let page: URL | undefined = new URL(`/v2/${pin.path}/tags/list?n=1000`, origin(pin));
    // A registry whose last page leads to its first would be read for ever.
    while (page !== undefined && !seen.has(page.href)) {
      seen.add(page.href);
      const answer = await this.#ask(pin, page, "GET");
      if (answer.status !== 200) {
        throw new RegistryTrouble(
          `list of tags: answers ${answer.status} (${errorIn(answer.body) ?? "no reason given"})`,
        );
      }
      found.push(...tagsIn(answer.body));
      page = nextPage(header(answer, "link"), page);
    }
    return found;
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  async #ask(pin: ImageRef, url: URL, method: "GET" | "HEAD"): Promise<Answer> {
    const known = this.#tokens.get(pin.repository);
    const answer = await this.#patiently(url, method, known);
    if (answer.status !== 401) return answer;
    const challenge = parseChallenge(header(answer, "www-authenticate"));
    if (challenge === undefined) return answer;
    const wanted = tokenUrl(challenge, pin.path);
    const granted = await this.#patiently(wanted, "GET");
    const token = granted.status === 200 ? tokenIn(granted.body) : undefined;
    if (token === undefined) return { ...answer, body: granted.body };
    this.#tokens.set(pin.repository, token);
    return this.#patiently(url, method, token);
  }

  async #patiently(url: URL, method: "GET" | "HEAD", token?: string): Promise<Answer> {
    for (let tried = 1; ; tried += 1) {
      const outcome = await this.#once(url, method, token);
      const retryAfter = "status" in outcome ? header(outcome, "retry-after") : undefined;
      const pause = pauseBefore(
        tried,
        { status: "status" in outcome ? outcome.status : "none", retryAfter },
        Date.now(),
      );
      if (pause !== undefined) await this.#pause(pause);
      else if (!("status" in outcome)) throw new RegistryTrouble(`no answer: ${outcome.why}`);
      else if (outcome.status === 429) {
        throw new RegistryTrouble("429 too many requests", retryAfterMs(retryAfter, Date.now()));
      } else if (outcome.status >= 500) throw new RegistryTrouble(`answers ${outcome.status}`);
      else return outcome;
    }
  }

  /** One try: an answer, or why there is none. */
  async #once(url: URL, method: "GET" | "HEAD", token?: string): Promise<Answer | { readonly why: string }> {
    const headers = {
      accept: MANIFEST_TYPES,
      "user-agent": "vpai",
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const signal = AbortSignal.timeout(this.#timeoutMs);
    try {
      const answer = await request(url, { method, headers, signal, dispatcher: this.#agent, maxRedirections: 3 });
      return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
    } catch (error) {
      if (signal.aborted) return { why: `none within ${this.#timeoutMs / 1_000} s` };
      // Of several addresses of one name each has its own error, and the whole has no message.
      const { message, errors = [] } = error as Error & { errors?: readonly Error[] };
      return { why: errors[0]?.message ?? message };
    }
  }
}

function tagsIn(page: string): string[] {
  const { tags } = (jsonIn(page) ?? {}) as { tags?: readonly string[] | null };
  return [...(tags ?? [])];
}

/** Plain http on this machine's own addresses, as Docker does. */
function origin({ host }: ImageRef): string {
  return `${/^127\.\d+\.\d+\.\d+(:\d+)?$/.test(host) ? "http" : "https"}://${apiHost(host)}`;
}

/** Connects to one address for every name; the certificate is still checked for the name. */
function elsewhere({ address, port, ca }: NonNullable<RegistryOptions["through"]>): buildConnector.connector {
  const connect = buildConnector({ ca });
  return (options, callback) =>
    connect({ ...options, hostname: address, ...(port && { port: String(port) }) }, callback);
}

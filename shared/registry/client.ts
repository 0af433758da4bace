import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type Dispatcher, request } from "undici";
import { authorities, elsewhere, type Front } from "../connect.ts";
import type { ImageRef } from "../image-ref.ts";
import { parseChallenge, tokenIn, tokenUrl } from "./auth.ts";
import { type Answer, errorIn, header, jsonIn, MANIFEST_TYPES, nextPage, RegistryTrouble } from "./response.ts";
import { pauseBefore, retryAfterMs, TRIES } from "./retry.ts";
import { type Addresses, addressOf } from "./upstream.ts";

export interface RegistryOptions {
  /** Every registry is reached here, under its own name, and believed by this authority alone: the sandbox's front. */
  readonly through?: Front;
  /** Addresses in place of the registries' own. */
  readonly addresses?: Addresses;
  /** Certificates, PEM, of authorities that are trusted in addition to those of Node and of this machine. */
  readonly ca?: string;
  /** How long one answer may take. @default 15 000 */
  readonly timeoutMs?: number;
  /** How often a request is tried. @default 3 */
  readonly tries?: number;
  /** Waits; tests do not. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/**
 * Reads registries by the OCI distribution protocol, as `docker pull` without a login does: with an anonymous token
 * if one is required, and with retries as the registry requests.
 */
export class Registries {
  readonly #agent: Dispatcher;
  readonly #addresses: Addresses;
  readonly #timeoutMs: number;
  readonly #tries: number;
  readonly #pause: (ms: number) => Promise<unknown>;
  /** By repository. */
  readonly #tokens = new Map<string, string>();

  constructor(options: RegistryOptions = {}) {
    const { through, addresses = {}, ca } = options;
    this.#agent = new Agent({ connect: through ? elsewhere(through) : { ca: authorities(ca) } });
    this.#addresses = addresses;
    this.#timeoutMs = options.timeoutMs ?? 15_000;
    this.#tries = options.tries ?? TRIES;
    this.#pause = options.pause ?? ((ms) => sleep(ms));
  }

  /** Asks for the manifest of a tag or digest. HEAD does not count against Docker Hub's limit of pulls, GET does. */
  manifest(pin: ImageRef, reference: string, method: "GET" | "HEAD"): Promise<Answer> {
    return this.#ask(pin, this.#url(pin, `manifests/${reference}`), method);
  }

  /** Asks whether the repository has a blob. */
  blob(pin: ImageRef, digest: string): Promise<Answer> {
    return this.#ask(pin, this.#url(pin, `blobs/${digest}`), "HEAD");
  }

  /** Asks whether there is a registry: one says 200, or 401 and how to get a token. */
  root(pin: ImageRef): Promise<Answer> {
    return this.#patiently(new URL("/v2/", addressOf(pin.host, this.#addresses)), "GET");
  }

  /** All tags of the pin's repository, page after page. */
  async allTags(pin: ImageRef): Promise<string[]> {
    const found: string[] = [];
    const seen = new Set<string>();
    let page: URL | undefined = this.#url(pin, `tags/list?n=1000`);
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

  /** Closes without waiting for what is under way. */
  destroy(): Promise<void> {
    return this.#agent.destroy();
  }

  #url({ host, path }: ImageRef, rest: string): URL {
    return new URL(`/v2/${path}/${rest}`, addressOf(host, this.#addresses));
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
        this.#tries,
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
    // Where a blob is sent to takes the registry's own clients, with GET alone: being sent there is the answer.
    const maxRedirections = url.pathname.includes("/blobs/") ? 0 : 3;
    try {
      const answer = await request(url, { method, headers, signal, dispatcher: this.#agent, maxRedirections });
      return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
    } catch (error) {
      if (signal.aborted) return { why: `none within ${this.#timeoutMs / 1_000} s` };
      return { why: reasonOf(error as Error) };
    }
  }
}

/** Why there is no answer, without addresses and numbers. */
function reasonOf(error: Error & { readonly errors?: readonly Error[] }): string {
  // Of several addresses of one name each has its own error, and the whole has no message.
  const { message, code } = (error.errors?.[0] ?? error) as NodeJS.ErrnoException;
  return code === "ENOTFOUND" || code === "EAI_AGAIN" ? "name not resolved" : message;
}

function tagsIn(page: string): string[] {
  const { tags } = (jsonIn(page) ?? {}) as { tags?: readonly string[] | null };
  return [...(tags ?? [])];
}

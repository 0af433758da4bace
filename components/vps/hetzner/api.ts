import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../../../shared/errors.ts";

/** Hetzner's own API (API reference). */
export const HETZNER_ENDPOINT = "https://api.hetzner.cloud/v1";

/** Where the API is, and the right to use it. */
export interface HetznerAccess {
  /** With version: `https://api.hetzner.cloud/v1`. */
  readonly endpoint: string;
  readonly token: string;
  /** @default fetch */
  readonly request?: typeof fetch;
  /** Waits before another try; tests do not. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

export interface HetznerResponse {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Hetzner's error code; empty without an error. */
  readonly code: string;
}

const TRIES = 10;

/**
 * One request to Hetzner's API; tries again while it is busy or out of order, for half a minute in all.
 *
 * @throws OperatorError – the API cannot be reached, or refuses the token
 */
export async function callHetzner(
  access: HetznerAccess,
  method: "GET" | "POST" | "DELETE",
  path: string,
  json?: unknown,
): Promise<HetznerResponse> {
  for (let attempt = 1; ; attempt++) {
    const answer = await once(access, method, path, json);
    if (answer.status !== 429 && answer.status < 500) return answer;
    if (attempt === TRIES) throw unexpected(method, path, answer);
    await (access.pause ?? sleep)(Math.min(250 * 2 ** attempt, 5_000));
  }
}

/** All entries of a collection, page after page. */
export async function listHetzner<T>(access: HetznerAccess, collection: string, query = ""): Promise<T[]> {
  const entries: T[] = [];
  for (let page: number | undefined = 1; page !== undefined;) {
    const path = `/${collection}?${query}${query && "&"}per_page=50&page=${page}`;
    const answer = await callHetzner(access, "GET", path);
    if (answer.status !== 200) throw unexpected("GET", path, answer);
    entries.push(...((answer.body[collection] as T[] | undefined) ?? []));
    const meta = answer.body["meta"] as { pagination?: { next_page?: number | null } } | undefined;
    page = meta?.pagination?.next_page ?? undefined;
  }
  return entries;
}

/** An answer that leaves nothing to be done but to try again; no fault of the settings. */
export class HetznerAnswerError extends OperatorError {}

export const unexpected = (method: string, path: string, { status, code }: HetznerResponse): HetznerAnswerError =>
  new HetznerAnswerError({
    key: "Hetzner API",
    found: `answers ${status}${code && ` (${code})`} to ${method} ${path}`,
    fix: "see status.hetzner.com, then run the same command again",
  });

async function once(
  { endpoint, token, request = fetch }: HetznerAccess,
  method: string,
  path: string,
  json?: unknown,
): Promise<HetznerResponse> {
  const response = await request(`${endpoint}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(json !== undefined && { "content-type": "application/json" }) },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    signal: AbortSignal.timeout(30_000),
  }).catch((error: Error) => {
    // `fetch failed` alone says little; the cause names what the network answered.
    const cause = (error.cause as Error | undefined)?.message ?? error.message;
    throw new OperatorError({
      key: "Hetzner API",
      found: `${endpoint} does not answer (${cause})`,
      fix: "see that this machine reaches it (HCLOUD_ENDPOINT names another), then run the command again",
    });
  });
  const body = parsed(await response.text());
  const code = (body["error"] as { code?: string } | undefined)?.code ?? "";
  // 403 is also the answer to a thing that is protected and to a limit that is reached: the code distinguishes them.
  const refusesToken = response.status === 401 || ["", "forbidden", "token_readonly"].includes(code);
  if (refusesToken && [401, 403].includes(response.status)) {
    throw new OperatorError({
      key: "vpai:hetznerToken",
      found:
        code === "token_readonly"
          ? "may only read (token_readonly)"
          : `refused by ${new URL(endpoint).host} (${code || response.status})`,
      allowed: "an API token with read and write access to one Hetzner project",
      fix: "make one in Hetzner's console (Security, API tokens) and `pulumi config set --secret vpai:hetznerToken`, or set HCLOUD_TOKEN",
    });
  }
  return { status: response.status, body, code };
}

/** A proxy in front of the API answers errors in HTML. */
function parsed(text: string): Record<string, unknown> {
  try {
    return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

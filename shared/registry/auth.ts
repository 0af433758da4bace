import { jsonIn } from "./response.ts";

/** What a registry says is needed before it answers: `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`. */
export interface Challenge {
  readonly realm: string;
  readonly service?: string;
  readonly scope?: string;
}

/** Reads the header; undefined when it asks for something else than a bearer token. */
export function parseChallenge(header: string | undefined): Challenge | undefined {
  const [, list] = /^\s*Bearer\s+(.+)$/i.exec(header ?? "") ?? [];
  if (list === undefined) return undefined;
  const parts = new Map([...list.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]));
  const [realm, service, scope] = [parts.get("realm"), parts.get("service"), parts.get("scope")];
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  return { realm, ...(service !== undefined && { service }), ...(scope !== undefined && { scope }) };
}

/** URL of an anonymous token; the scope is the registry's own, or that of reading the repository. */
export function tokenUrl({ realm, service, scope }: Challenge, path: string): URL {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", scope ?? `repository:${path}:pull`);
  return url;
}

/** The token in what a token server answers, which calls it by one of two names. */
export function tokenIn(body: string): string | undefined {
  const { token, access_token: other } = (jsonIn(body) ?? {}) as { token?: unknown; access_token?: unknown };
  const found = token ?? other;
  return typeof found === "string" && found !== "" ? found : undefined;
}

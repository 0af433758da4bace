import { OperatorError } from "../errors.ts";
import { apiHost } from "../image-ref.ts";

/** Replaces registries' addresses: a mirror, or what stands in for them in a test. */
export const ADDRESSES_VARIABLE = "VPAI_UPSTREAM_REGISTRIES";

/** Addresses by registry, as references name it. */
export type Addresses = Readonly<Record<string, string>>;

/** What {@link ADDRESSES_VARIABLE} says: a JSON object of registries with the URL of each. */
export function replacedAddresses(env: Readonly<Record<string, string | undefined>>): Addresses {
  const text = env[ADDRESSES_VARIABLE];
  if (text === undefined || text === "") return {};
  const addresses = parsed(text);
  if (addresses !== undefined) return addresses;
  throw new OperatorError({
    key: ADDRESSES_VARIABLE,
    found: text.replace(/\/\/[^/@"]*@/g, "//…@"),
    allowed: 'a JSON object of registries with their URLs, such as {"docker.io":"https://mirror.example.com"}',
    fix: "correct or unset it",
  });
}

function parsed(text: string): Addresses | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value).map(([registry, url]): [string, string | undefined] => [registry, origin(url)]);
  if (entries.some(([, url]) => url === undefined)) return undefined;
  return Object.fromEntries(entries) as Addresses;
}

/** A URL without a path of its own, as a registry's API wants it; without a slash at its end. */
function origin(url: unknown): string | undefined {
  if (typeof url !== "string" || !URL.canParse(url)) return undefined;
  const { protocol, host, pathname, username } = new URL(url);
  const fits = /^https?:$/.test(protocol) && pathname === "/" && username === "";
  return fits ? `${protocol}//${host}` : undefined;
}

/** Where a registry's API is. Plain http on this machine's own addresses, as Docker does. */
export function addressOf(registry: string, replaced: Addresses): string {
  const own = `${/^127\.\d+\.\d+\.\d+(:\d+)?$/.test(registry) ? "http" : "https"}://${apiHost(registry)}`;
  return replaced[registry] ?? own;
}

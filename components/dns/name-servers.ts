import { Resolver, resolve4, resolveNs } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { absoluteName, canonicalValue, type DnsRecord, setKey } from "./record.ts";

/** Addresses of a zone's own name servers; empty where they cannot be found from here. */
export async function nameServersOf(zone: string, configured: string | undefined): Promise<string[]> {
  if (configured) return configured.split(",").map((each) => each.trim());
  try {
    const names = await resolveNs(zone);
    const addresses = await Promise.all(names.map((name) => resolve4(name).catch((): string[] => [])));
    return addresses.map(([first]) => first).filter((each) => each !== undefined);
  } catch (error) {
    if (isDnsError(error)) return [];
    throw error;
  }
}

const isDnsError = (error: unknown): boolean => typeof (error as { hostname?: unknown }).hostname === "string";

/** What one name server answers for a set; undefined where it does not answer. */
export type Ask = (server: string, name: string, type: string) => Promise<readonly string[] | undefined>;

/** Asks over the network. */
export const askServer: Ask = async (server, name, type) => {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  resolver.setServers([server]);
  try {
    return (await valuesOf(resolver, name, type)).map((value) => canonicalValue(type, value));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTFOUND" || code === "ENODATA") return [];
    if (isDnsError(error)) return undefined;
    throw error;
  }
};

async function valuesOf(resolver: Resolver, name: string, type: string): Promise<string[]> {
  switch (type) {
    case "A":
      return resolver.resolve4(name);
    case "AAAA":
      return resolver.resolve6(name);
    case "TXT":
      return (await resolver.resolveTxt(name)).map((parts) => parts.join(""));
    case "CAA":
      return (await resolver.resolveCaa(name)).flatMap(({ critical, ...tags }) =>
        Object.entries(tags).map(([tag, value]) => `${critical} ${tag} "${String(value)}"`),
      );
    default:
      throw new Error(`no look-up for records of the type ${type}`);
  }
}

/** A set that a server does not serve as planned. */
export interface Unserved {
  readonly server: string;
  readonly name: string;
  readonly type: string;
  readonly expected: readonly string[];
  readonly actual: readonly string[];
}

export interface Served {
  /** Servers that answered. */
  readonly answered: readonly string[];
  readonly unserved: readonly Unserved[];
}

/** Compares what the servers serve with the records; a server that does not answer the first question is left out. */
export async function lookUp(
  zone: string,
  records: readonly DnsRecord[],
  servers: readonly string[],
  ask: Ask = askServer,
): Promise<Served> {
  const sets = [...new Set(records.map(setKey))].map((key) => records.filter((each) => setKey(each) === key));
  const each = await Promise.all(servers.map((server) => lookUpAt(server, zone, sets, ask)));
  return {
    answered: servers.filter((_, i) => each[i] !== undefined),
    unserved: each.flatMap((unserved) => unserved ?? []),
  };
}

async function lookUpAt(
  server: string,
  zone: string,
  sets: readonly (readonly DnsRecord[])[],
  ask: Ask,
): Promise<Unserved[] | undefined> {
  const unserved: Unserved[] = [];
  for (const [first, ...more] of sets) {
    if (first === undefined) continue;
    const name = absoluteName(first.name, zone);
    const actual = await ask(server, name, first.type);
    if (actual === undefined) return undefined;
    const expected = [first, ...more].map(({ value }) => value);
    // Another text is its owner's; another address is a conflict, which was reported before.
    if (
      expected.every((value) => actual.includes(value)) &&
      (first.type === "TXT" || actual.length === expected.length)
    )
      continue;
    unserved.push({ server, name, type: first.type, expected, actual });
  }
  return unserved;
}

export interface WaitOptions {
  readonly servers: readonly string[];
  readonly ask?: Ask;
  readonly pause?: (ms: number) => Promise<unknown>;
  /** @default 120 000 */
  readonly deadlineMs?: number;
  /** Sets that must no longer be there, by {@link setKey}. */
  readonly now?: () => number;
}

/** Waits until every name server that answers serves the records; answers what it saw last. */
export async function waitUntilServed(
  zone: string,
  records: readonly DnsRecord[],
  options: WaitOptions,
): Promise<Served> {
  const { servers, ask = askServer, pause = sleep, deadlineMs = 120_000, now = Date.now } = options;
  const deadline = now() + deadlineMs;
  for (;;) {
    const served = await lookUp(zone, records, servers, ask);
    if (served.unserved.length === 0 || now() > deadline) return served;
    await pause(1_000);
  }
}

import { type DnsRecord, relativeName } from "./record.ts";

export interface DnsPlanArgs {
  readonly stack: string;
  readonly domain: string;
  readonly zone: string;
  /** Every host name of a route, public or not; the domain itself is added. */
  readonly hosts: readonly string[];
  readonly ipv4: string;
  /** Only where the server serves IPv6: a browser prefers it. */
  readonly ipv6?: string;
  readonly ttl: number;
  /** Certificate authorities that may issue for the domain, as CAA names them; empty: any. */
  readonly issuers: readonly string[];
}

/** Name of the record that says whose the others are, below the domain. */
export const MARKER = "_vpai";

/** What the marker of a stack says. */
export const markerOf = (stack: string): string => `vpai-stack=${stack}`;

/** The records of a deployment, sorted by name: the marker first, as it is written first. */
export function planRecords(args: DnsPlanArgs): DnsRecord[] {
  const { stack, domain, zone, ipv4, ipv6, ttl, issuers } = args;
  const own = relativeName(domain, zone);
  const hosts = [...new Set([domain, ...args.hosts])].map((host) => relativeName(host, zone)).toSorted();
  return [
    { name: own === "" ? MARKER : `${MARKER}.${own}`, type: "TXT", value: markerOf(stack), ttl },
    ...issuers.map((issuer) => ({ name: own, type: "CAA", value: `0 issue "${issuer}"`, ttl })),
    ...hosts.flatMap((name) => [
      { name, type: "A", value: ipv4, ttl },
      ...(ipv6 === undefined ? [] : [{ name, type: "AAAA", value: ipv6, ttl }]),
    ]),
  ];
}

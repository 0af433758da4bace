import { isIPv4 } from "node:net";
import { contains, parseRange } from "../../../shared/address-range.ts";
import type { ServiceDefinition } from "../../service/model/definition.ts";
import type { Audience } from "../../service/model/facets.ts";
import { PUBLISH_ADDRESS } from "../../service/plan/container.ts";

export const FAMILIES = ["ipv4", "ipv6"] as const;
export type Family = (typeof FAMILIES)[number];

/** The clients of a port: everyone, VPN clients, or those that may connect to sshd. */
export type PortAudience = Audience | "ssh";

/** One port of the server that clients may reach; everything else is closed. */
export interface DeclaredPort {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** The service that publishes it, sshd, or other software. */
  readonly owner: string;
  readonly audience: PortAudience;
  /** Address ranges of its clients, of both families; empty: it is closed. */
  readonly sources: readonly string[];
  /** Families in which its owner listens. */
  readonly listens: readonly Family[];
  /** Whether a container publishes it: Docker then forwards it, past all rules for what the host itself receives. */
  readonly published: boolean;
}

/** What keeps clients from everything that is not declared, besides the server's own firewall. */
export type Enforcement = "hetzner" | "host";

export interface FirewallPlan {
  readonly ports: readonly DeclaredPort[];
  /** Addresses of the VPN's members: taken from the VPN's own interface alone. */
  readonly vpn: readonly string[];
  readonly enforcement: Enforcement;
}

export type OpenPort = Pick<DeclaredPort, "port" | "protocol">;

export interface FirewallArgs {
  readonly definitions: readonly ServiceDefinition[];
  readonly sshdPorts: readonly number[];
  /** Ports of software that is not ours, on a server that exists already: open to everyone. */
  readonly others?: readonly OpenPort[];
  /** Addresses of the VPN's members. @default none */
  readonly vpn?: readonly string[];
  /** Sources of each audience that is not everyone. */
  readonly cidrs: Readonly<Record<Exclude<PortAudience, "public">, readonly string[]>>;
  readonly enforcement: Enforcement;
}

export const ANYWHERE = ["0.0.0.0/0", "::/0"] as const;

/** The one list that every firewall is made from: sshd's ports, those that services publish, in their order, and others. */
export function planFirewall({
  definitions,
  sshdPorts,
  others = [],
  vpn = [],
  cidrs,
  enforcement,
}: FirewallArgs): FirewallPlan {
  const sources = { ssh: withRanges(cidrs.ssh, vpn), vpn: withRanges(cidrs.vpn, vpn), public: ANYWHERE };
  const sshd = [...new Set(sshdPorts)].map((port): DeclaredPort => ({
    port,
    protocol: "tcp",
    owner: "sshd",
    audience: "ssh",
    sources: sources.ssh,
    listens: FAMILIES,
    published: false,
  }));
  const published = definitions.flatMap(({ name, hostNetwork, publish = [] }) =>
    publish
      .filter(({ loopback }) => !loopback)
      .map(({ port, protocol, audience = "public" }): DeclaredPort => ({
        port,
        protocol,
        owner: name,
        audience,
        sources: sources[audience],
        listens: hostNetwork === undefined ? [isIPv4(PUBLISH_ADDRESS) ? "ipv4" : "ipv6"] : FAMILIES,
        published: hostNetwork === undefined,
      })),
  );
  const open = others.map((each): DeclaredPort => ({
    ...each,
    owner: "other software",
    audience: "public",
    sources: ANYWHERE,
    listens: FAMILIES,
    // Whether a container of the server's owner does is not known.
    published: true,
  }));
  return { ports: [...sshd, ...published, ...open], vpn, enforcement };
}

/** The ranges, and those of `more` that none of them contains: nftables takes no set whose ranges overlap. */
function withRanges(ranges: readonly string[], more: readonly string[]): string[] {
  const isIn = (inner: string, outer: string): boolean => {
    const [a, b] = [parseRange(inner), parseRange(outer)];
    return a !== undefined && b !== undefined && contains(b, a);
  };
  const added = more.filter((each) => !ranges.some((range) => isIn(each, range)));
  return [...ranges.filter((range) => !added.some((each) => isIn(range, each))), ...added];
}

/**
 * The ports as the server's own firewall has them. Behind Hetzner's, sshd is open to every address: Hetzner's keeps the ranges,
 * and is changed from anywhere by its API. A server that kept them too could be reached no more once its owner's address
 * has changed.
 */
export const hostPorts = ({ ports, enforcement }: FirewallPlan): DeclaredPort[] =>
  ports.map((port) => (enforcement === "hetzner" && port.audience === "ssh" ? { ...port, sources: ANYWHERE } : port));

/** The ranges of one family. */
export const rangesOf = (family: Family, sources: readonly string[]): string[] =>
  sources.filter((source) => parseRange(source)?.family === family);

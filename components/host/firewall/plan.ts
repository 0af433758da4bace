import { isIPv4 } from "node:net";
import { parseRange } from "../../../shared/address-range.ts";
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
  /** The service that publishes it, or sshd. */
  readonly owner: string;
  readonly audience: PortAudience;
  /** Address ranges of its clients, of both families; empty: it is closed. */
  readonly sources: readonly string[];
  /** Families in which its owner listens. */
  readonly listens: readonly Family[];
  /** Whether a container publishes it: Docker then forwards it, past all rules for what the host itself receives. */
  readonly published: boolean;
}

/** What keeps clients from everything that is not declared: a firewall in front of the server, or nothing. */
export type Enforcement = "hetzner" | "none";

export interface FirewallPlan {
  readonly ports: readonly DeclaredPort[];
  readonly enforcement: Enforcement;
}

export interface FirewallArgs {
  readonly definitions: readonly ServiceDefinition[];
  readonly sshdPorts: readonly number[];
  /** Sources of each audience that is not everyone. */
  readonly cidrs: Readonly<Record<Exclude<PortAudience, "public">, readonly string[]>>;
  readonly enforcement: Enforcement;
}

export const ANYWHERE = ["0.0.0.0/0", "::/0"] as const;

/** The setting that has the sources of an audience. */
export const CIDR_SETTINGS = { ssh: "vpai:ssh.allowedCidrs", vpn: "vpai:vpnCidrs" } as const;

/** The one list that every firewall is made from: sshd's ports, then those that services publish, in their order. */
export function planFirewall({ definitions, sshdPorts, cidrs, enforcement }: FirewallArgs): FirewallPlan {
  const sources = { ...cidrs, public: ANYWHERE };
  const sshd = [...new Set(sshdPorts)].map((port): DeclaredPort => ({
    port,
    protocol: "tcp",
    owner: "sshd",
    audience: "ssh",
    sources: sources.ssh,
    listens: FAMILIES,
    published: false,
  }));
  const published = definitions.flatMap(({ name, publish = [] }) =>
    publish.map(({ port, protocol, audience = "public" }): DeclaredPort => ({
      port,
      protocol,
      owner: name,
      audience,
      sources: sources[audience],
      listens: [isIPv4(PUBLISH_ADDRESS) ? "ipv4" : "ipv6"],
      published: true,
    })),
  );
  return { ports: [...sshd, ...published], enforcement };
}

/** The ranges of one family. */
export const rangesOf = (family: Family, sources: readonly string[]): string[] =>
  sources.filter((source) => parseRange(source)?.family === family);

const isRestricted = ({ sources }: DeclaredPort): boolean => ANYWHERE.some((range) => !sources.includes(range));

/** What the settings promise and nothing on the way to the server keeps. */
export function firewallWarnings({ ports, enforcement }: FirewallPlan): string[] {
  if (enforcement !== "none") return [];
  const audiences = [...new Set(ports.filter(isRestricted).map(({ audience }) => audience))];
  return audiences.flatMap((audience) => {
    if (audience === "public") return [];
    const open = ports.filter((each) => each.audience === audience);
    const places = open.map(({ port, protocol, owner }) => `${port}/${protocol} (${owner})`).join(", ");
    return [
      `${CIDR_SETTINGS[audience]}: not enforced on a server that exists already: any address reaches ${places}, ` +
        "unless its provider's own firewall keeps it out",
    ];
  });
}

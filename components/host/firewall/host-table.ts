import { VPN_INTERFACE } from "../../service/model/vpn.ts";
import { type DeclaredPort, FAMILIES, type Family, type FirewallPlan, rangesOf } from "./plan.ts";

/** One rule; a packet has to meet all its conditions. */
export interface HostRule {
  /** States of its connection. */
  readonly states?: readonly ("established" | "related" | "invalid")[];
  /** Interface that it comes in by, or leaves by; `*` at the end stands for anything. */
  readonly from?: string;
  readonly notFrom?: string;
  readonly to?: string;
  /** The destination has been translated: it is on its way to a published port. */
  readonly translated?: true;
  readonly family?: Family;
  /** Ranges of the family. */
  readonly sources?: readonly string[];
  readonly protocol?: "tcp" | "udp" | "icmp" | "ipv6-icmp";
  /** As the client sees it, before any translation. */
  readonly port?: number;
  readonly sourcePort?: number;
  /** Of ICMP, by nftables' names. */
  readonly types?: readonly string[];
  readonly verdict: "accept" | "drop";
  readonly comment?: string;
}

export interface HostChain {
  readonly hook: "input" | "forward";
  readonly priority: string;
  readonly policy: "accept" | "drop";
  readonly rules: readonly HostRule[];
}

/** What the host's table is made from. */
export type HostTable = Pick<FirewallPlan, "ports" | "vpn">;

/** Name of the table: nothing else writes to it, and it touches no other. */
export const HOST_TABLE = "vpai";

/** The resource that loads it: what an inspection compares with, and what repairs it. */
export const HOST_FIREWALL = "firewall-rules";

/** Docker's own bridges, and those of its networks, by their default names. */
const BRIDGES = ["docker*", "br-*"] as const;

const KNOWN: HostRule = { states: ["established", "related"], verdict: "accept" };

const LOOPBACK: HostRule = { from: "lo", verdict: "accept" };

/** What a host needs apart from its ports: ping and errors, its neighbours, its address. */
const NEEDS: readonly HostRule[] = [
  { states: ["invalid"], verdict: "drop" },
  {
    family: "ipv4",
    protocol: "icmp",
    types: ["echo-request", "destination-unreachable", "time-exceeded", "parameter-problem"],
    verdict: "accept",
  },
  {
    family: "ipv6",
    protocol: "ipv6-icmp",
    types: ["echo-request", "destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"],
    verdict: "accept",
  },
  // Without neighbour discovery and router advertisements there is no IPv6.
  {
    family: "ipv6",
    protocol: "ipv6-icmp",
    types: ["nd-router-advert", "nd-neighbor-solicit", "nd-neighbor-advert", "mld-listener-query"],
    verdict: "accept",
  },
  // The answer to a broadcast belongs to no known connection.
  { family: "ipv4", protocol: "udp", sourcePort: 67, port: 68, verdict: "accept", comment: "dhcp" },
  {
    family: "ipv6",
    sources: ["fe80::/10"],
    protocol: "udp",
    sourcePort: 547,
    port: 546,
    verdict: "accept",
    comment: "dhcp",
  },
];

/**
 * The host's own firewall, for IPv4 and IPv6. `input` has published ports too: Docker's proxy process receives what it
 * does not translate (IPv6, and a container's request to its own network's server). `forward` comes before Docker's
 * rules, which would accept every published port; a restart of Docker does not touch it. It keeps new connections from
 * outside out of all containers, and leaves to Docker what containers start themselves.
 */
export function hostChains({ ports, vpn }: HostTable): HostChain[] {
  // The edge trusts a member's address: no other client may come with it.
  const forged = FAMILIES.flatMap((family): HostRule[] => {
    const sources = rangesOf(family, vpn);
    return sources.length === 0 ? [] : [{ notFrom: VPN_INTERFACE, family, sources, verdict: "drop", comment: "vpn" }];
  });
  return [
    {
      hook: "input",
      priority: "filter",
      policy: "drop",
      rules: [LOOPBACK, KNOWN, ...forged, ...NEEDS, ...ports.flatMap(inputRules)],
    },
    {
      hook: "forward",
      priority: "filter - 10",
      policy: "accept",
      rules: [
        KNOWN,
        ...forged,
        ...BRIDGES.map((from): HostRule => ({ from, verdict: "accept" })),
        ...ports.filter(({ published }) => published).flatMap(forwardRules),
        { translated: true, verdict: "drop" },
        ...BRIDGES.map((to): HostRule => ({ to, verdict: "drop" })),
      ],
    },
  ];
}

/** One rule for each family that has sources. */
const inputRules = ({ port, protocol, owner, sources }: DeclaredPort): HostRule[] =>
  FAMILIES.flatMap((family): HostRule[] => {
    const ranges = rangesOf(family, sources);
    return ranges.length === 0 ? [] : [{ family, sources: ranges, protocol, port, verdict: "accept", comment: owner }];
  });

const forwardRules = (port: DeclaredPort): HostRule[] =>
  inputRules(port).map((rule) => ({ ...rule, translated: true }));

/** The table as `nft -f` takes it: in one transaction, in place of the one there is. */
export function renderHostTable(table: HostTable): string {
  const name = `table inet ${HOST_TABLE}`;
  return `${[name, `delete ${name}`, `${name} {`, hostChains(table).map(chainText).join("\n\n"), "}"].join("\n")}\n`;
}

const chainText = ({ hook, priority, policy, rules }: HostChain): string =>
  [
    `\tchain ${hook} {`,
    `\t\ttype filter hook ${hook} priority ${priority}; policy ${policy};`,
    ...rules.map((rule) => `\t\t${ruleText(rule)}`),
    "\t}",
  ].join("\n");

const FAMILY_WORDS = { ipv4: { header: "ip", any: "0.0.0.0/0" }, ipv6: { header: "ip6", any: "::/0" } } as const;

function ruleText(rule: HostRule): string {
  const { states, from, notFrom, to, translated, verdict, comment } = rule;
  return [
    states && `ct state ${states.join(",")}`,
    from && `iifname "${from}"`,
    notFrom && `iifname != "${notFrom}"`,
    to && `oifname "${to}"`,
    translated && "ct status dnat",
    ...addressWords(rule),
    ...protocolWords(rule),
    verdict,
    comment && `comment "${comment}"`,
  ]
    .filter(Boolean)
    .join(" ");
}

function addressWords({ family, sources = [] }: HostRule): string[] {
  if (family === undefined) return [];
  const { header, any } = FAMILY_WORDS[family];
  const isAny = sources.length === 0 || sources.includes(any);
  return [isAny ? `meta nfproto ${family}` : `${header} saddr { ${sources.join(", ")} }`];
}

function protocolWords({ protocol, port, sourcePort, types, translated }: HostRule): string[] {
  if (protocol === undefined) return [];
  if (types !== undefined) return [`${protocol === "icmp" ? "icmp" : "icmpv6"} type { ${types.join(", ")} }`];
  return [
    ...(sourcePort === undefined ? [] : [`${protocol} sport ${sourcePort}`]),
    // Translated, a packet has the container's port; the connection remembers the one that the client asked for.
    ...(translated ? [`meta l4proto ${protocol} ct original proto-dst ${port}`] : [`${protocol} dport ${port}`]),
  ];
}

import { cidrRange } from "../network/subnet.ts";
import type { FirewallRule } from "../hetzner/state/machines.ts";

/** A jump from one of the kernel's or Docker's chains into one of ours, as `iptables -S` prints it. */
export interface Hook {
  readonly from: string;
  readonly match: string;
  readonly to: string;
}

/** Chains with their rules in the words of `iptables -S`, and the jumps that lead into them. */
export interface Ruleset {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  readonly hooks: readonly Hook[];
}

const ESTABLISHED = "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN";

/**
 * The cloud's firewall in front of one server, on the outer machine. No `in` rule admits nothing; no `out` rule
 * admits everything, as at Hetzner (docs.hetzner.cloud, Firewalls). Replies always pass. What a chain lets by it
 * returns, so that the sandbox's own walls still apply.
 *
 * Traffic to a server comes from this machine (OUTPUT) or from another server (DOCKER-USER); traffic from it goes
 * to this machine (INPUT) or elsewhere (DOCKER-USER).
 */
export function serverRuleset(chain: string, id: number, address: string, rules: readonly FirewallRule[]): Ruleset {
  const [into, out] = [`${chain}-${id}-IN`, `${chain}-${id}-OUT`];
  const outbound = rules.filter((rule) => rule.direction === "out");
  const inbound = rules.filter((rule) => rule.direction === "in");
  return {
    chains: new Map([
      [into, [ESTABLISHED, ...inbound.flatMap(matches), "-j DROP"]],
      [out, outbound.length === 0 ? [] : [ESTABLISHED, ...outbound.flatMap(matches), "-j DROP"]],
    ]),
    hooks: [
      { from: "OUTPUT", match: `-d ${address}/32`, to: into },
      { from: "DOCKER-USER", match: `-d ${address}/32`, to: into },
      { from: "INPUT", match: `-s ${address}/32`, to: out },
      { from: "DOCKER-USER", match: `-s ${address}/32`, to: out },
    ],
  };
}

/**
 * The walls of the sandbox: its servers reach the gateway's DNS, apt proxy and registry, and one another. Not this
 * machine's other ports and addresses, not the internet, not 169.254.0.0/16, where a cloud's metadata service may
 * answer. Refused rather than dropped, so that nothing inside waits for a time-out; accepted rather than returned,
 * so that a firewall of this machine's own (ufw) does not shut its servers off. A server's chains are hooked in later,
 * and so come first.
 */
export function worldRuleset(chain: string, bridge: string, gateway: string): Ruleset {
  const [host, elsewhere] = [`${chain}-HOST`, `${chain}-FWD`];
  const refuse = "-j REJECT --reject-with icmp-port-unreachable";
  return {
    chains: new Map([
      [
        host,
        [
          "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
          `-d ${gateway}/32 -p icmp -j ACCEPT`,
          `-d ${gateway}/32 -p udp -m udp --dport 53 -j ACCEPT`,
          ...[80, 443].map((port) => `-d ${gateway}/32 -p tcp -m tcp --dport ${port} -j ACCEPT`),
          refuse,
        ],
      ],
      [elsewhere, [refuse]],
    ]),
    hooks: [
      { from: "INPUT", match: `-i ${bridge}`, to: host },
      { from: "DOCKER-USER", match: `-i ${bridge} ! -o ${bridge}`, to: elsewhere },
    ],
  };
}

/** Input of `iptables-restore --noflush` that puts the rules in force; `current` is what `iptables -S` prints. */
export function applyText(ruleset: Ruleset, current: string): string {
  const present = new Set(current.split("\n"));
  return restoreText([
    ...[...ruleset.chains.keys()].map((chain) => `:${chain} - [0:0]`),
    ...expectedLines(ruleset),
    ...ruleset.hooks
      .filter((hook) => !present.has(hookLine(hook)))
      .map((hook) => `-I ${hook.from} 1 ${hook.match} -j ${hook.to}`),
  ]);
}

/** Input of `iptables-restore --noflush` that removes the chains whose name begins so; undefined if there are none. */
export function removeText(chainPrefix: string, current: string): string | undefined {
  const lines = current.split("\n");
  const chains = lines.filter((line) => line.startsWith(`-N ${chainPrefix}`)).map((line) => line.slice(3));
  const jumps = lines.filter((line) => / -j (\S+)$/.exec(line)?.[1]?.startsWith(chainPrefix));
  if (chains.length + jumps.length === 0) return undefined;
  return restoreText([
    ...jumps.map((line) => line.replace(/^-A/, "-D")),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
  ]);
}

/** The lines of the ruleset that `iptables -S` does not show. */
export function missingLines(ruleset: Ruleset, current: string): readonly string[] {
  const present = new Set(current.split("\n"));
  return [...expectedLines(ruleset), ...ruleset.hooks.map(hookLine)].filter((line) => !present.has(line));
}

const restoreText = (lines: readonly string[]): string => ["*filter", ...lines, "COMMIT", ""].join("\n");
const hookLine = (hook: Hook): string => `-A ${hook.from} ${hook.match} -j ${hook.to}`;
const expectedLines = (ruleset: Ruleset): readonly string[] =>
  [...ruleset.chains].flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`));

/** One line for each IPv4 range; the sandbox has no IPv6. */
function matches(rule: FirewallRule): readonly string[] {
  const flag = rule.direction === "in" ? "-s" : "-d";
  const port =
    rule.port === undefined || rule.port === "any" ? "" : ` -m ${rule.protocol} --dport ${rule.port.replace("-", ":")}`;
  return rule.cidrs.flatMap((cidr) => {
    const range = canonical(cidr);
    if (range === undefined) return [];
    return [`${range === "0.0.0.0/0" ? "" : `${flag} ${range} `}-p ${rule.protocol}${port} -j RETURN`];
  });
}

/** The range as iptables prints it: host bits cleared, length always shown. */
function canonical(cidr: string): string | undefined {
  const range = cidrRange(cidr);
  if (range === undefined) return undefined;
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(range[0] / 2 ** shift) % 256);
  return `${octets.join(".")}/${cidr.split("/")[1] ?? "32"}`;
}

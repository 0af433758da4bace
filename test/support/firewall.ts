import { isIP } from "node:net";
import { type HostChain, hostChains, type HostRule } from "../../components/host/firewall/host-table.ts";
import type { DeclaredPort, Family } from "../../components/host/firewall/plan.ts";
import { firewallRules } from "../../components/vps/hetzner/firewall.ts";
import { contains, parseRange } from "../../shared/address-range.ts";

/** A new connection from outside to the server. */
export interface Probe {
  readonly source: string;
  readonly protocol: "tcp" | "udp" | "icmp";
  /** Absent for ping. */
  readonly port?: number;
}

const familyOf = (address: string): Family => (isIP(address) === 4 ? "ipv4" : "ipv6");

const isIn = (address: string, ranges: readonly string[]): boolean => {
  const single = parseRange(`${address}/${familyOf(address) === "ipv4" ? 32 : 128}`);
  return ranges.some((text) => {
    const range = parseRange(text);
    return single !== undefined && range !== undefined && contains(range, single);
  });
};

/** Hetzner's firewall drops what no rule lets in. */
export const hetznerLetsIn = (ports: readonly DeclaredPort[], { source, protocol, port }: Probe): boolean =>
  firewallRules(ports).some(
    (rule) =>
      rule.protocol === protocol &&
      (rule.port === undefined || rule.port === String(port)) &&
      isIn(source, rule.sourceIps),
  );

/** How it arrives at the host's rules. */
interface Arrival {
  readonly from: string;
  readonly to?: string;
  readonly translated: boolean;
}

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

function meets(rule: HostRule, { source, protocol, port }: Probe, { from, to, translated }: Arrival): boolean {
  const family = familyOf(source);
  const kind = protocol === "icmp" && family === "ipv6" ? "ipv6-icmp" : protocol;
  return [
    // A new connection is in none of the states that rules ask for, and comes from a port of no meaning.
    rule.states === undefined,
    rule.sourcePort === undefined,
    rule.from === undefined || matches(rule.from, from),
    rule.notFrom === undefined || !matches(rule.notFrom, from),
    rule.to === undefined || (to !== undefined && matches(rule.to, to)),
    rule.translated === undefined || translated,
    rule.family === undefined || rule.family === family,
    rule.sources === undefined || isIn(source, rule.sources),
    rule.protocol === undefined || rule.protocol === kind,
    rule.port === undefined || rule.port === port,
    rule.types === undefined || rule.types.includes("echo-request"),
  ].every(Boolean);
}

const verdict = ({ rules, policy }: HostChain, probe: Probe, arrival: Arrival): boolean =>
  (rules.find((rule) => meets(rule, probe, arrival))?.verdict ?? policy) === "accept";

const chainOf = (ports: readonly DeclaredPort[], hook: HostChain["hook"]): HostChain => {
  const chain = hostChains({ ports, vpn: [] }).find((each) => each.hook === hook);
  if (chain === undefined) throw new Error(`no chain ${hook}`);
  return chain;
};

/** Whether the host itself takes it: sshd, or Docker's proxy process for a published port. */
export const hostLetsIn = (ports: readonly DeclaredPort[], probe: Probe): boolean =>
  verdict(chainOf(ports, "input"), probe, { from: "eth0", translated: false });

/** Whether a container gets it that publishes the port, or (not translated) one whose address the client knows. */
export const containerLetsIn = (
  ports: readonly DeclaredPort[],
  probe: Probe,
  { from = "eth0", to = "br-0a1b2c3d4e5f", translated = true }: Partial<Arrival> = {},
): boolean => verdict(chainOf(ports, "forward"), probe, { from, to, translated });

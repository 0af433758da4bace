import { ANYWHERE, type DeclaredPort } from "../../host/firewall/plan.ts";

/** One inbound rule, in the words of the hcloud provider. */
export interface FirewallRule {
  readonly direction: "in";
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly port?: string;
  readonly sourceIps: readonly string[];
  readonly description: string;
}

const DESCRIPTIONS: Readonly<Record<string, string>> = { "80/tcp": "http", "443/tcp": "https", "443/udp": "http/3" };

/** What may come in, the declared ports and ping; Hetzner drops everything else, before the server sees it. */
export function firewallRules(ports: readonly DeclaredPort[]): FirewallRule[] {
  return [
    ...ports
      // Hetzner refuses a rule without sources; without a rule the port is closed.
      .filter(({ sources }) => sources.length > 0)
      .map(({ port, protocol, owner, sources }): FirewallRule => ({
        direction: "in",
        protocol,
        port: String(port),
        sourceIps: sources,
        description: describe(owner, `${port}/${protocol}`),
      })),
    { direction: "in", protocol: "icmp", sourceIps: ANYWHERE, description: "ping" },
  ];
}

const describe = (owner: string, place: string): string =>
  owner === "sshd" ? "ssh" : (DESCRIPTIONS[place] ?? `${owner} ${place}`);

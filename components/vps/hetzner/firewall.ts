/** One inbound rule, in the words of the hcloud provider. */
export interface FirewallRule {
  readonly direction: "in";
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly port?: string;
  readonly sourceIps: readonly string[];
  readonly description: string;
}

const ANYWHERE = ["0.0.0.0/0", "::/0"];

/** What may come in; Hetzner drops everything else. Docker's published ports pass by any firewall on the host, so this one counts. */
export function firewallRules(ssh: {
  readonly port: number;
  readonly allowedCidrs: readonly string[];
}): FirewallRule[] {
  return [
    { direction: "in", protocol: "tcp", port: String(ssh.port), sourceIps: ssh.allowedCidrs, description: "ssh" },
    { direction: "in", protocol: "tcp", port: "80", sourceIps: ANYWHERE, description: "http" },
    { direction: "in", protocol: "tcp", port: "443", sourceIps: ANYWHERE, description: "https" },
    { direction: "in", protocol: "udp", port: "443", sourceIps: ANYWHERE, description: "http/3" },
    { direction: "in", protocol: "icmp", sourceIps: ANYWHERE, description: "ping" },
  ];
}

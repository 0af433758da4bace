import { describe, expect, test } from "@jest/globals";
import { renderHostTable } from "../../../components/host/firewall/host-table.ts";
import { hostPorts, planFirewall } from "../../../components/host/firewall/plan.ts";
import { firewallRules } from "../../../components/vps/hetzner/firewall.ts";
import { deployedServices } from "../../../stacks/catalogue.ts";
import { DEFAULT_SERVICES as catalogue } from "../../support/core.ts";
import { containerLetsIn, hetznerLetsIn, hostLetsIn, type Probe } from "../../support/firewall.ts";
import { sample } from "../../support/sample.ts";

const anywhere = ["0.0.0.0/0", "::/0"];
const admin = { ...sample, name: "admin", publish: [{ port: 9443, protocol: "tcp", audience: "vpn" } as const] };
/** sshd for two offices, the catalogue's ports for everyone, one port for the VPN. */
const restricted = planFirewall({
  definitions: [...catalogue, admin],
  sshdPorts: [2222],
  cidrs: { ssh: ["198.51.100.0/24", "2001:db8:1::/48"], vpn: ["100.64.0.0/10", "fd7a:115c:a1e0::/48"] },
  others: [{ port: 25, protocol: "tcp" }],
  enforcement: "hetzner",
});

test("Hetzner's firewall: sshd from where it is allowed, the web from anywhere, ping, nothing else", () => {
  const { ports } = planFirewall({
    definitions: catalogue,
    sshdPorts: [2222],
    cidrs: { ssh: ["198.51.100.0/24"], vpn: [] },
    enforcement: "hetzner",
  });
  // What a server of today has: another text or order would be a change of every stack.
  expect(firewallRules(ports)).toEqual([
    { direction: "in", protocol: "tcp", port: "2222", sourceIps: ["198.51.100.0/24"], description: "ssh" },
    { direction: "in", protocol: "tcp", port: "80", sourceIps: anywhere, description: "http" },
    { direction: "in", protocol: "tcp", port: "443", sourceIps: anywhere, description: "https" },
    { direction: "in", protocol: "udp", port: "443", sourceIps: anywhere, description: "http/3" },
    { direction: "in", protocol: "icmp", sourceIps: anywhere, description: "ping" },
  ]);
});

test("without the edge no port of it is open, and a port for a VPN that is not there is closed", () => {
  const { ports } = planFirewall({
    definitions: [admin],
    sshdPorts: [2222, 22, 2222],
    cidrs: { ssh: anywhere, vpn: [] },
    enforcement: "host",
  });
  expect(ports.map(({ port, owner, sources }) => [port, owner, sources])).toEqual([
    [2222, "sshd", anywhere],
    [22, "sshd", anywhere],
    [9443, "admin", []],
  ]);
  expect(firewallRules(ports).map(({ description }) => description)).toEqual(["ssh", "ssh", "ping"]);
});

test("behind Hetzner's firewall the server's own lets every address to sshd, and keeps the VPN's ranges", () => {
  const sources = (enforcement: "hetzner" | "host") =>
    hostPorts({ ...restricted, enforcement }).flatMap((each) =>
      each.audience === "public" ? [] : [[each.owner, ...each.sources]],
    );
  expect(sources("hetzner")).toEqual([
    ["sshd", ...anywhere],
    ["admin", "100.64.0.0/10", "fd7a:115c:a1e0::/48"],
  ]);
  expect(sources("host")).toEqual([
    ["sshd", "198.51.100.0/24", "2001:db8:1::/48"],
    ["admin", "100.64.0.0/10", "fd7a:115c:a1e0::/48"],
  ]);
});

const [office, office6, vpn, vpn6] = ["198.51.100.7", "2001:db8:1::7", "100.64.0.7", "fd7a:115c:a1e0::7"];
const [stranger, stranger6] = ["203.0.113.9", "2001:db8:2::9"];

/** Who reaches which port: this table is the firewall, in words. */
const probes: readonly (readonly [port: string, reachedBy: readonly string[]])[] = [
  ["tcp 2222", [office, office6]],
  ["tcp 80", [office, office6, vpn, vpn6, stranger, stranger6]],
  ["tcp 443", [office, office6, vpn, vpn6, stranger, stranger6]],
  ["udp 443", [office, office6, vpn, vpn6, stranger, stranger6]],
  ["tcp 9443", [vpn, vpn6]],
  ["tcp 25", [office, office6, vpn, vpn6, stranger, stranger6]],
  ["icmp", [office, office6, vpn, vpn6, stranger, stranger6]],
  ["udp 80", []],
  ["udp 2222", []],
  ["udp 9443", []],
  ["tcp 22", []],
  ["tcp 5432", []],
  ["tcp 8080", []],
  ["udp 68", []],
];

describe("the firewalls agree", () => {
  const sources = [office, office6, vpn, vpn6, stranger, stranger6];
  const cases = probes.flatMap(([text, reachedBy]) => {
    const [protocol, port] = text.split(" ");
    return sources.map((source): [string, boolean, Probe] => [
      `${text} from ${source}`,
      reachedBy.includes(source),
      { source, protocol: protocol as Probe["protocol"], ...(port !== undefined && { port: Number(port) }) },
    ]);
  });

  test.each(cases)("%s: %s", (_name, expected, probe) => {
    expect(hetznerLetsIn(restricted.ports, probe)).toBe(expected);
    expect(hostLetsIn(restricted.ports, probe)).toBe(expected);
    // A container may publish any port by itself, but not have it reached.
    const isPublished = restricted.ports.some(({ published, port }) => published && port === probe.port);
    const published = containerLetsIn(restricted.ports, probe);
    expect(published).toBe(expected && isPublished);
    expect(containerLetsIn(restricted.ports, probe, { to: "a-bridge-of-its-own-name" })).toBe(published);
    // A container's own address leads nowhere, even at a declared port: another machine of the network may know it.
    expect(containerLetsIn(restricted.ports, probe, { translated: false })).toBe(false);
    expect(containerLetsIn(restricted.ports, probe, { translated: false, to: "docker0" })).toBe(false);
  });

  test("what containers start themselves, and what is forwarded to no container, is left to others' rules", () => {
    const probe: Probe = { source: "172.20.4.3", protocol: "tcp", port: 5432 };
    expect(containerLetsIn(restricted.ports, probe, { from: "br-0a1b2c3d4e5f", to: "eth0" })).toBe(true);
    expect(containerLetsIn(restricted.ports, probe, { from: "docker0", to: "eth0", translated: false })).toBe(true);
    expect(containerLetsIn(restricted.ports, probe, { from: "tailscale0", to: "eth0", translated: false })).toBe(true);
  });

  test("a container is a client like any other of the host's ports", () => {
    const inside = (port: number): Probe => ({ source: "172.20.4.3", protocol: "tcp", port });
    expect([443, 2222, 5432].map((port) => hostLetsIn(restricted.ports, inside(port)))).toEqual([true, false, false]);
  });
});

test("the host's table is this text, exactly", () => {
  expect(renderHostTable(restricted)).toBe(`table inet vpai
delete table inet vpai
table inet vpai {
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state established,related accept
		ct state invalid drop
		meta nfproto ipv4 icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept
		meta nfproto ipv6 icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept
		meta nfproto ipv6 icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept
		meta nfproto ipv4 udp sport 67 udp dport 68 accept comment "dhcp"
		ip6 saddr { fe80::/10 } udp sport 547 udp dport 546 accept comment "dhcp"
		ip saddr { 198.51.100.0/24 } tcp dport 2222 accept comment "sshd"
		ip6 saddr { 2001:db8:1::/48 } tcp dport 2222 accept comment "sshd"
		meta nfproto ipv4 tcp dport 80 accept comment "caddy"
		meta nfproto ipv6 tcp dport 80 accept comment "caddy"
		meta nfproto ipv4 tcp dport 443 accept comment "caddy"
		meta nfproto ipv6 tcp dport 443 accept comment "caddy"
		meta nfproto ipv4 udp dport 443 accept comment "caddy"
		meta nfproto ipv6 udp dport 443 accept comment "caddy"
		ip saddr { 100.64.0.0/10 } tcp dport 9443 accept comment "admin"
		ip6 saddr { fd7a:115c:a1e0::/48 } tcp dport 9443 accept comment "admin"
		meta nfproto ipv4 tcp dport 25 accept comment "other software"
		meta nfproto ipv6 tcp dport 25 accept comment "other software"
	}

	chain forward {
		type filter hook forward priority filter - 10; policy accept;
		ct state established,related accept
		iifname "docker*" accept
		iifname "br-*" accept
		ct status dnat meta nfproto ipv4 meta l4proto tcp ct original proto-dst 80 accept comment "caddy"
		ct status dnat meta nfproto ipv6 meta l4proto tcp ct original proto-dst 80 accept comment "caddy"
		ct status dnat meta nfproto ipv4 meta l4proto tcp ct original proto-dst 443 accept comment "caddy"
		ct status dnat meta nfproto ipv6 meta l4proto tcp ct original proto-dst 443 accept comment "caddy"
		ct status dnat meta nfproto ipv4 meta l4proto udp ct original proto-dst 443 accept comment "caddy"
		ct status dnat meta nfproto ipv6 meta l4proto udp ct original proto-dst 443 accept comment "caddy"
		ct status dnat ip saddr { 100.64.0.0/10 } meta l4proto tcp ct original proto-dst 9443 accept comment "admin"
		ct status dnat ip6 saddr { fd7a:115c:a1e0::/48 } meta l4proto tcp ct original proto-dst 9443 accept comment "admin"
		ct status dnat meta nfproto ipv4 meta l4proto tcp ct original proto-dst 25 accept comment "other software"
		ct status dnat meta nfproto ipv6 meta l4proto tcp ct original proto-dst 25 accept comment "other software"
		ct status dnat drop
		oifname "docker*" drop
		oifname "br-*" drop
	}
}
`);
});

describe("the server is a member of a VPN", () => {
  const vpn = ["100.64.0.0/10", "fd7a:115c:a1e0::/48"];
  const plan = (allowed: readonly string[]) =>
    planFirewall({
      definitions: deployedServices({ disabledServices: [], vpn: { host: true, hostname: "vpai" } }),
      sshdPorts: [2222],
      vpn,
      cidrs: { ssh: allowed, vpn: [] },
      enforcement: "host",
    });

  test("a member's address is taken from the VPN's interface alone, whatever else the packet is", () => {
    const table = renderHostTable(plan(anywhere)).split("\n");
    const forged = [
      '\t\tiifname != "tailscale0" ip saddr { 100.64.0.0/10 } drop comment "vpn"',
      '\t\tiifname != "tailscale0" ip6 saddr { fd7a:115c:a1e0::/48 } drop comment "vpn"',
    ];
    const chains = table.flatMap((line, i) => (line.includes("type filter hook") ? [table.slice(i + 1)] : []));
    for (const rules of chains) {
      const accepting = rules.findIndex((rule) => rule.endsWith("accept") && !/iifname "lo"|ct state/.test(rule));
      expect(rules.slice(0, accepting)).toEqual(expect.arrayContaining(forged));
    }
    expect(chains).toHaveLength(2);
  });

  test("members reach sshd, also where it is open to one office alone; ranges never overlap", () => {
    const sshd = (allowed: readonly string[]) => plan(allowed).ports.find(({ owner }) => owner === "sshd")?.sources;
    expect(sshd(["198.51.100.0/24"])).toEqual(["198.51.100.0/24", ...vpn]);
    expect(sshd(anywhere)).toEqual(anywhere);
    expect(sshd(["100.64.0.5/32", "198.51.100.0/24"])).toEqual(["198.51.100.0/24", ...vpn]);
  });

  test("tailscaled's port is the server's own, Headscale's is a container's, and its API is for the server alone", () => {
    const ports = plan(anywhere).ports.filter(({ owner }) => ["headscale", "tailscale"].includes(owner));
    expect(ports.map(({ owner, port, protocol, published }) => [owner, port, protocol, published])).toEqual([
      ["headscale", 3478, "udp", true],
      ["tailscale", 41641, "udp", false],
    ]);
  });
});

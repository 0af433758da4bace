import { describe, expect, test } from "@jest/globals";
import { applyText, missingLines, removeText, serverRuleset, worldRuleset } from "../../../sandbox/vps/firewall.ts";
import type { FirewallRule } from "../../../sandbox/hetzner/state/machines.ts";

const bare = ["-P INPUT ACCEPT", "-P FORWARD DROP", "-P OUTPUT ACCEPT", "-N DOCKER-USER", "-A DOCKER-USER -j RETURN"];
const anywhere = ["0.0.0.0/0", "::/0"];
const ssh: FirewallRule = { direction: "in", protocol: "tcp", port: "22", cidrs: anywhere };

const server = (rules: readonly FirewallRule[]) => serverRuleset("VPAI-0a1b2c3d", 42, "10.213.0.10", rules);
const chainOf = (rules: readonly FirewallRule[], end: "IN" | "OUT") =>
  server(rules).chains.get(`VPAI-0a1b2c3d-42-${end}`);

describe("the firewall of a server", () => {
  test("is this text, exactly", () => {
    expect(applyText(server([ssh]), bare.join("\n"))).toBe(
      [
        "*filter",
        ":VPAI-0a1b2c3d-42-IN - [0:0]",
        ":VPAI-0a1b2c3d-42-OUT - [0:0]",
        "-A VPAI-0a1b2c3d-42-IN -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        "-A VPAI-0a1b2c3d-42-IN -p tcp -m tcp --dport 22 -j RETURN",
        "-A VPAI-0a1b2c3d-42-IN -j DROP",
        "-I OUTPUT 1 -d 10.213.0.10/32 -j VPAI-0a1b2c3d-42-IN",
        "-I DOCKER-USER 1 -d 10.213.0.10/32 -j VPAI-0a1b2c3d-42-IN",
        "-I INPUT 1 -s 10.213.0.10/32 -j VPAI-0a1b2c3d-42-OUT",
        "-I DOCKER-USER 1 -s 10.213.0.10/32 -j VPAI-0a1b2c3d-42-OUT",
        "COMMIT",
        "",
      ].join("\n"),
    );
  });

  test("admits nothing without an `in` rule, and lets everything out without an `out` rule", () => {
    expect(chainOf([], "IN")).toEqual(["-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN", "-j DROP"]);
    expect(chainOf([ssh], "OUT")).toEqual([]);
  });

  test.each<[string, FirewallRule, string[]]>([
    [
      "a range of ports",
      { direction: "in", protocol: "udp", port: "1000-2000", cidrs: anywhere },
      ["-p udp -m udp --dport 1000:2000 -j RETURN"],
    ],
    ["every port", { direction: "in", protocol: "tcp", port: "any", cidrs: anywhere }, ["-p tcp -j RETURN"]],
    ["icmp", { direction: "in", protocol: "icmp", cidrs: anywhere }, ["-p icmp -j RETURN"]],
    [
      "ranges, one line each, host bits cleared as iptables prints them",
      { direction: "in", protocol: "tcp", port: "443", cidrs: ["10.1.2.3/8", "192.0.2.7", "203.0.113.9/32"] },
      [
        "-s 10.0.0.0/8 -p tcp -m tcp --dport 443 -j RETURN",
        "-s 192.0.2.7/32 -p tcp -m tcp --dport 443 -j RETURN",
        "-s 203.0.113.9/32 -p tcp -m tcp --dport 443 -j RETURN",
      ],
    ],
    ["IPv6 only: nothing", { direction: "in", protocol: "tcp", port: "443", cidrs: ["2001:db8::/32"] }, []],
  ])("knows %s", (_name, rule, lines) => {
    expect(chainOf([rule], "IN")?.slice(1, -1)).toEqual(lines);
  });

  test("an `out` rule shuts everything else that goes out", () => {
    const rule: FirewallRule = { direction: "out", protocol: "tcp", port: "443", cidrs: ["198.51.100.0/24"] };
    expect(chainOf([rule], "OUT")).toEqual([
      "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
      "-d 198.51.100.0/24 -p tcp -m tcp --dport 443 -j RETURN",
      "-j DROP",
    ]);
  });

  test("names its chains within the kernel's 28 characters for any id the API gives", () => {
    const longest = serverRuleset("VPAI-0a1b2c3d", 9_999_999_999, "10.213.0.10", []);
    expect(Math.max(...[...longest.chains.keys()].map((name) => name.length))).toBeLessThanOrEqual(28);
  });
});

describe("what is in force", () => {
  const inForce = [
    ...bare,
    "-N VPAI-0a1b2c3d-42-IN",
    "-N VPAI-0a1b2c3d-42-OUT",
    "-N VPAI-0a1b2c3d-421-IN",
    "-A OUTPUT -d 10.213.0.10/32 -j VPAI-0a1b2c3d-42-IN",
    "-A DOCKER-USER -d 10.213.0.10/32 -j VPAI-0a1b2c3d-42-IN",
    "-A INPUT -s 10.213.0.10/32 -j VPAI-0a1b2c3d-42-OUT",
    "-A DOCKER-USER -s 10.213.0.10/32 -j VPAI-0a1b2c3d-42-OUT",
    "-A VPAI-0a1b2c3d-42-IN -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
    "-A VPAI-0a1b2c3d-42-IN -p tcp -m tcp --dport 22 -j RETURN",
    "-A VPAI-0a1b2c3d-42-IN -j DROP",
  ].join("\n");

  test("is not hooked a second time", () => {
    expect(applyText(server([ssh]), inForce)).not.toContain("-I ");
  });

  test("is read back line by line", () => {
    expect(missingLines(server([ssh]), inForce)).toEqual([]);
    expect(missingLines(server([ssh]), inForce.replace("--dport 22 ", "--dport 23 "))).toEqual([
      "-A VPAI-0a1b2c3d-42-IN -p tcp -m tcp --dport 22 -j RETURN",
    ]);
  });

  test("is removed whole, and a server whose number begins alike is left alone", () => {
    expect(removeText("VPAI-0a1b2c3d-42-", inForce)).toBe(
      [
        "*filter",
        "-D OUTPUT -d 10.213.0.10/32 -j VPAI-0a1b2c3d-42-IN",
        "-D DOCKER-USER -d 10.213.0.10/32 -j VPAI-0a1b2c3d-42-IN",
        "-D INPUT -s 10.213.0.10/32 -j VPAI-0a1b2c3d-42-OUT",
        "-D DOCKER-USER -s 10.213.0.10/32 -j VPAI-0a1b2c3d-42-OUT",
        "-F VPAI-0a1b2c3d-42-IN",
        "-F VPAI-0a1b2c3d-42-OUT",
        "-X VPAI-0a1b2c3d-42-IN",
        "-X VPAI-0a1b2c3d-42-OUT",
        "COMMIT",
        "",
      ].join("\n"),
    );
    expect(removeText("VPAI-0a1b2c3d-42-", bare.join("\n"))).toBeUndefined();
  });
});

test("the walls of a sandbox are this text, exactly", () => {
  expect(applyText(worldRuleset("VPAI-0a1b2c3d", "vpai0a1b2c3d", "10.213.0.1"), bare.join("\n"))).toBe(
    [
      "*filter",
      ":VPAI-0a1b2c3d-HOST - [0:0]",
      ":VPAI-0a1b2c3d-FWD - [0:0]",
      "-A VPAI-0a1b2c3d-HOST -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A VPAI-0a1b2c3d-HOST -d 10.213.0.1/32 -p icmp -j ACCEPT",
      "-A VPAI-0a1b2c3d-HOST -d 10.213.0.1/32 -p udp -m udp --dport 53 -j ACCEPT",
      "-A VPAI-0a1b2c3d-HOST -d 10.213.0.1/32 -p tcp -m tcp --dport 80 -j ACCEPT",
      "-A VPAI-0a1b2c3d-HOST -d 10.213.0.1/32 -p tcp -m tcp --dport 443 -j ACCEPT",
      "-A VPAI-0a1b2c3d-HOST -j REJECT --reject-with icmp-port-unreachable",
      "-A VPAI-0a1b2c3d-FWD -j REJECT --reject-with icmp-port-unreachable",
      "-I INPUT 1 -i vpai0a1b2c3d -j VPAI-0a1b2c3d-HOST",
      "-I DOCKER-USER 1 -i vpai0a1b2c3d ! -o vpai0a1b2c3d -j VPAI-0a1b2c3d-FWD",
      "COMMIT",
      "",
    ].join("\n"),
  );
});

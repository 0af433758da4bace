import { expect, test } from "@jest/globals";
import { stringify } from "yaml";
import { declaredPorts } from "../../../ops/ports/declared.ts";
import { portsJson, portsTable } from "../../../ops/ports/table.ts";
import { EXISTING, HETZNER } from "../../support/settings/stack-input.ts";

const plan = (config: Readonly<Record<string, unknown>>) => {
  const own = Object.entries({ domain: "ai.your.domain", ...config }).map(([key, value]) => [`vpai:${key}`, value]);
  // As in a stack's file: what is encrypted stays so.
  const secrets = { "vpai:hetznerToken": { secure: "v1:AAAA:AAAA" } };
  return declaredPorts("prod", stringify({ config: { ...Object.fromEntries(own), ...secrets } }));
};

test("one row a port, with its clients by family, and what enforces it", () => {
  expect(portsTable(plan({ vps: HETZNER }))).toBe(`PORT      LISTENS  FOR     IPV4         IPV6
2222/tcp  sshd     ssh     any address  any address
80/tcp    caddy    public  any address  nothing listens
443/tcp   caddy    public  any address  nothing listens
443/udp   caddy    public  any address  nothing listens

Enforced by Hetzner's firewall and by the server's own, which drop everything else but ping.
`);
});

test("on a server that exists already: the server's own firewall, with ports of its other software", () => {
  const ssh = { port: 2022, allowedCidrs: ["198.51.100.0/24", "203.0.113.8/32"] };
  const vps = { ...EXISTING, openPorts: ["25/tcp"] };
  expect(portsTable(plan({ vps, ssh, disabledServices: ["caddy"] })))
    .toBe(`PORT      LISTENS         FOR     IPV4                            IPV6
2022/tcp  sshd            ssh     198.51.100.0/24 203.0.113.8/32  closed
22/tcp    sshd            ssh     198.51.100.0/24 203.0.113.8/32  closed
25/tcp    other software  public  any address                     any address

Enforced by the server's own firewall, which drops everything else but ping.
`);
});

test("for a program", () => {
  expect(JSON.parse(portsJson(plan({ vps: HETZNER, disabledServices: ["caddy"] })))).toEqual({
    enforcement: "hetzner",
    vpn: [],
    ports: [
      {
        port: 2222,
        protocol: "tcp",
        owner: "sshd",
        audience: "ssh",
        sources: ["0.0.0.0/0", "::/0"],
        listens: ["ipv4", "ipv6"],
        published: false,
      },
    ],
  });
});

test("a wrong setting that decides about ports is an error, and no other one is", () => {
  expect(() => plan({ vps: HETZNER, ssh: { port: 22 } })).toThrow(
    /^vpai:ssh\.port: 22\n {2}allowed: a port: .*\n {2}do: `\.\/vpai pulumi --stack prod -- config set/,
  );
  expect(() => plan({ vps: HETZNER, timezone: "Mars/Olympus" })).not.toThrow();
});

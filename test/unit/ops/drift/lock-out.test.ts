import { expect, test } from "@jest/globals";
import { planFirewall } from "../../../../components/host/firewall/plan.ts";
import { lockOutFault } from "../../../../ops/drift/lock-out.ts";

const portsFor = (...ssh: readonly string[]) =>
  planFirewall({ definitions: [], sshdPorts: [2222, 22], cidrs: { ssh, vpn: [] }, enforcement: "host" }).ports;

test.each([
  ["198.51.100.7", portsFor("0.0.0.0/0", "::/0")],
  ["2001:db8:1::7", portsFor("0.0.0.0/0", "::/0")],
  ["198.51.100.7", portsFor("203.0.113.0/24", "198.51.100.0/24")],
  ["2001:db8:1::7", portsFor("2001:db8:1::/48")],
  [null, portsFor("203.0.113.0/24")],
])("from %s sshd stays reachable", (client, ports) => {
  expect(lockOutFault(client, ports)).toBeUndefined();
});

test.each([
  ["198.51.100.7", "198.51.100.7/32", portsFor("203.0.113.0/24", "::/0")],
  ["2001:db8:1::7", "2001:db8:1::7/128", portsFor("203.0.113.0/24")],
])("from %s it would not, and that is refused", (client, range, ports) => {
  const fault = lockOutFault(client, ports);
  expect(fault).toMatchObject({
    key: "vpai:ssh.allowedCidrs",
    found: expect.stringContaining(`which would keep this machine out: the server sees it come from ${client}`),
    fix: `add ${range}, or run this from an address that is in them`,
  });
});

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { freeIpv4 } from "../../../sandbox/hetzner/state/addresses.ts";
import { type Json, plainServer, type Project, startProject } from "./project.ts";

let project: Project;

beforeEach(async () => {
  project = await startProject();
});

afterEach(() => project.close());

const ipv4Only = { enable_ipv4: true, enable_ipv6: false };

async function gone(server: { id: number }): Promise<void> {
  const { json } = await project.call("DELETE", `/servers/${server.id}`);
  expect(await project.ended(json.action)).toMatchObject({ command: "delete_server", status: "success" });
}

async function running(body: object): Promise<Json> {
  const created = await project.make("/servers", { ...plainServer, ...body });
  await project.ended(created.next_actions[0]);
  return created.server;
}

describe("addresses", () => {
  test("are the lowest free ones from .10 to .250", () => {
    expect(freeIpv4("10.1.2.0/24", new Set(["10.1.2.10", "10.1.2.12"]))).toBe("10.1.2.11");
    const all = new Set(Array.from({ length: 241 }, (_, index) => `10.1.2.${index + 10}`));
    expect(() => freeIpv4("10.1.2.0/24", all)).toThrow("10.1.2.0/24 is used up");
  });

  test("given by itself go with the server", async () => {
    const server = await running({});
    expect(project.hetzner.inventory().primaryIps).toEqual([
      expect.objectContaining({ ip: "10.213.7.10", server: "web" }),
      expect.objectContaining({ ip: expect.stringMatching(/^2001:db8:.*::\/64$/), server: "web" }),
    ]);
    await gone(server);
    expect(project.hetzner.inventory()).toMatchObject({ servers: [], primaryIps: [] });
    expect(project.machines.machines.size).toBe(0);
  });

  test("of one's own stay for the next server", async () => {
    const { primary_ip: ip } = await project.make("/primary_ips", {
      name: "stable",
      type: "ipv4",
      location: "fsn1",
      auto_delete: false,
    });
    expect(ip).toMatchObject({ assignee_id: null, assignee_type: "unassigned", location: { name: "fsn1" } });
    const first = await running({ public_net: { ...ipv4Only, ipv4: ip.id } });
    expect(first.public_net).toMatchObject({ ipv4: { id: ip.id, ip: ip.ip }, ipv6: null });
    const again = await project.call("POST", "/servers", {
      ...plainServer,
      name: "two",
      public_net: { ...ipv4Only, ipv4: ip.id },
    });
    expect(again.json.error.code).toBe("primary_ip_assigned");
    await gone(first);
    const second = await running({ public_net: { ...ipv4Only, ipv4: ip.id } });
    expect(project.machines.machines.get(second.id)?.spec.ipv4).toBe(ip.ip);
  });

  test("change hands while the server is off, and the machine moves to its new one", async () => {
    const server = await running({ public_net: ipv4Only });
    await project.ended((await project.make(`/servers/${server.id}/actions/poweroff`, {})).action);
    const own = server.public_net.ipv4.id;
    await project.ended((await project.make(`/primary_ips/${own}/actions/unassign`, {})).action);
    const { primary_ip: ip } = await project.make("/primary_ips", { name: "new", type: "ipv4", location: "fsn1" });
    const assign = { assignee_id: server.id, assignee_type: "server" };
    await project.ended((await project.make(`/primary_ips/${ip.id}/actions/assign`, assign)).action);
    expect((await project.call("DELETE", `/primary_ips/${own}`)).status).toBe(204);
    await project.ended((await project.make(`/servers/${server.id}/actions/poweron`, {})).action);
    expect(project.machines.machines.get(server.id)).toMatchObject({ on: true, spec: { ipv4: ip.ip } });
  });

  test("of another place or kind are refused", async () => {
    const { primary_ip: far } = await project.make("/primary_ips", { name: "far", type: "ipv4", location: "nbg1" });
    const { primary_ip: six } = await project.make("/primary_ips", { name: "six", type: "ipv6", location: "fsn1" });
    for (const [id, code] of [
      [far.id, "primary_ip_datacenter_mismatch"],
      [six.id, "primary_ip_version_mismatch"],
    ]) {
      const refused = await project.call("POST", "/servers", { ...plainServer, public_net: { ...ipv4Only, ipv4: id } });
      expect(refused.json.error.code).toBe(code);
    }
    expect(project.hetzner.inventory().servers).toEqual([]);
  });

  test("that are protected are kept", async () => {
    const { primary_ip: ip } = await project.make("/primary_ips", { name: "kept", type: "ipv4", location: "fsn1" });
    await project.ended(
      (await project.make(`/primary_ips/${ip.id}/actions/change_protection`, { delete: true })).action,
    );
    expect((await project.call("DELETE", `/primary_ips/${ip.id}`)).json.error.code).toBe("protected");
  });

  test("have a reverse name that can be changed", async () => {
    const server = await running({ public_net: ipv4Only });
    const change = { ip: "10.213.7.10", dns_ptr: "web.example.com" };
    await project.ended((await project.make(`/servers/${server.id}/actions/change_dns_ptr`, change)).action);
    const { json } = await project.call("GET", `/servers/${server.id}`);
    expect(json.server.public_net.ipv4.dns_ptr).toBe("web.example.com");
  });
});

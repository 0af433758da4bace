import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { type Json, plainServer, type Project, startProject } from "./project.ts";

let project: Project;

beforeEach(async () => {
  project = await startProject();
});

afterEach(() => project.close());

const ssh = { direction: "in", protocol: "tcp", port: "22", source_ips: ["0.0.0.0/0", "::/0"] };
const web = { direction: "in", protocol: "tcp", port: "any", source_ips: ["192.0.2.0/24"], description: "all" };
const out = { direction: "out", protocol: "udp", port: "53", destination_ips: ["9.9.9.9/32"] };

async function running(body: object = {}): Promise<Json> {
  const created = await project.make("/servers", { ...plainServer, ...body });
  await project.ended(created.next_actions[0]);
  return created.server;
}

async function done(path: string, body: object): Promise<string[]> {
  const { actions } = await project.make(path, body);
  const ended = await Promise.all(actions.map((action: Json) => project.ended(action)));
  return ended.map(({ command }) => command);
}

const onServer = (server: Json): object => ({ type: "server", server: { id: server.id } });

describe("firewalls", () => {
  test("given at creation are there before the machine is", async () => {
    const { firewall } = await project.make("/firewalls", { name: "wall", rules: [ssh, web, out] });
    const server = await running({ firewalls: [{ firewall: firewall.id }] });
    expect(project.machines.machines.get(server.id)?.spec.firewall).toEqual([
      { direction: "in", protocol: "tcp", port: "22", cidrs: ["0.0.0.0/0", "::/0"] },
      { direction: "in", protocol: "tcp", port: "1-65535", cidrs: ["192.0.2.0/24"] },
      { direction: "out", protocol: "udp", port: "53", cidrs: ["9.9.9.9/32"] },
    ]);
    const { json } = await project.call("GET", `/servers/${server.id}`);
    expect(json.server.public_net.firewalls).toEqual([{ id: firewall.id, status: "applied" }]);
  });

  test("reach the machine at every change, and leave it", async () => {
    const server = await running();
    expect(project.machines.firewalls.get(server.id)).toBeUndefined();
    const { firewall } = await project.make("/firewalls", { name: "wall" });
    const actions = `/firewalls/${firewall.id}/actions`;
    expect(await done(`${actions}/apply_to_resources`, { apply_to: [onServer(server)] })).toEqual(["apply_firewall"]);
    expect(project.machines.firewalls.get(server.id)).toEqual([]);
    expect(await done(`${actions}/set_rules`, { rules: [ssh] })).toEqual(["set_firewall_rules", "apply_firewall"]);
    expect(project.machines.firewalls.get(server.id)).toEqual([expect.objectContaining({ port: "22" })]);
    expect(await done(`${actions}/remove_from_resources`, { remove_from: [onServer(server)] })).toEqual([
      "remove_firewall",
    ]);
    expect(project.machines.firewalls.get(server.id)).toBeUndefined();
    expect((await project.call("DELETE", `/firewalls/${firewall.id}`)).status).toBe(204);
  });

  test("of a label selector follow the labels", async () => {
    const server = await running();
    const target = { type: "label_selector", label_selector: { selector: "role=db" } };
    const { firewall } = await project.make("/firewalls", { name: "wall", rules: [ssh], apply_to: [target] });
    expect(firewall.applied_to).toEqual([{ ...target, applied_to_resources: [] }]);
    await project.call("PUT", `/servers/${server.id}`, { labels: { role: "db" } });
    const { json } = await project.call(
      "GET",
      `/servers/${server.id}/actions?status=running&status=success&sort=id:desc`,
    );
    await project.ended(json.actions[0]);
    expect(project.machines.firewalls.get(server.id)).toHaveLength(1);
    const removal = await project.call("POST", `/firewalls/${firewall.id}/actions/remove_from_resources`, {
      remove_from: [onServer(server)],
    });
    expect(removal.json.error.code).toBe("firewall_managed_by_label_selector");
  });

  test("let go of a server that is deleted, once it is without power", async () => {
    const { firewall } = await project.make("/firewalls", { name: "wall", rules: [ssh] });
    const server = await running({ firewalls: [{ firewall: firewall.id }] });
    project.machines.calls.length = 0;
    await project.ended((await project.call("DELETE", `/servers/${server.id}`)).json.action);
    expect(project.machines.calls).toEqual(["powerOff web", "setFirewall web", "remove web"]);
    const { json } = await project.call("GET", `/firewalls/${firewall.id}`);
    expect(json.firewall.applied_to).toEqual([]);
  });

  test("are shown as they were given", async () => {
    const { firewall } = await project.make("/firewalls", { name: "wall", rules: [web, out] });
    expect(firewall.rules).toEqual([
      { ...web, destination_ips: [] },
      { ...out, source_ips: [], description: null },
    ]);
  });
});

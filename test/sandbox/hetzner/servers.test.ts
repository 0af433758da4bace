import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { type Json, plainServer, type Project, publicKey, startProject, until } from "./project.ts";

let project: Project;

beforeEach(async () => {
  project = await startProject();
});

afterEach(() => project.close());

async function running(body: object = plainServer): Promise<Json> {
  const created = await project.make("/servers", body);
  await project.ended(created.next_actions[0]);
  return (await project.call("GET", `/servers/${created.server.id}`)).json.server;
}

async function act(path: string, body: object = {}): Promise<Json> {
  const { action } = await project.make(path, body);
  return project.ended(action);
}

describe("a new server", () => {
  test("is initializing while its machine boots, then running", async () => {
    const release = project.machines.hold();
    const created = await project.make("/servers", {
      ...plainServer,
      user_data: "#cloud-config\n",
      labels: { a: "b" },
    });
    expect(created.server).toMatchObject({ status: "initializing", locked: true, labels: { a: "b" } });
    expect(created.action).toMatchObject({ command: "create_server", status: "running", finished: null });
    expect(created.action.progress).toBeLessThan(100);
    expect(created.next_actions).toEqual([expect.objectContaining({ command: "start_server", status: "running" })]);
    expect(created.root_password).toEqual(expect.any(String));
    release();
    expect(await project.ended(created.next_actions[0])).toMatchObject({
      status: "success",
      progress: 100,
      error: null,
    });
    const { json } = await project.call("GET", `/servers/${created.server.id}`);
    expect(json.server).toMatchObject({ status: "running", locked: false, location: { name: "fsn1" } });
    expect(json.server).not.toHaveProperty("datacenter");
    expect(project.machines.machines.get(created.server.id)?.spec).toMatchObject({
      name: "web",
      ipv4: "10.213.7.10",
      cores: 2,
      memoryMb: 4096,
      diskGb: 40,
      image: "debian-12",
      userData: "#cloud-config\n",
    });
  });

  test("has its keys, and no root password then", async () => {
    await project.make("/ssh_keys", { name: "key", public_key: publicKey });
    const created = await project.make("/servers", { ...plainServer, ssh_keys: ["key"] });
    await project.ended(created.action);
    expect(created.root_password).toBeNull();
    expect(project.machines.machines.get(created.server.id)?.spec.sshKeys).toEqual([publicKey]);
  });

  test("leaves nothing behind when its machine does not boot", async () => {
    project.machines.fail.set("create", "no disk left");
    const created = await project.make("/servers", plainServer);
    expect(await project.ended(created.action)).toMatchObject({
      status: "error",
      error: { code: "action_failed", message: "no disk left" },
    });
    expect((await project.ended(created.next_actions[0])).status).toBe("error");
    expect(project.hetzner.inventory()).toMatchObject({ servers: [], primaryIps: [] });
  });

  test("can be created switched off", async () => {
    const created = await project.make("/servers", { ...plainServer, start_after_create: false });
    await project.ended(created.action);
    expect(created.next_actions).toEqual([]);
    expect(project.hetzner.inventory().servers).toEqual([expect.objectContaining({ status: "off" })]);
    expect(project.machines.machines.get(created.server.id)?.on).toBe(false);
  });
});

describe("actions", () => {
  test("lock the server until they end", async () => {
    const server = await running();
    const release = project.machines.hold();
    const { action } = await project.make(`/servers/${server.id}/actions/shutdown`, {});
    for (const [method, path] of [
      ["POST", `/servers/${server.id}/actions/poweron`],
      ["DELETE", `/servers/${server.id}`],
    ] as const) {
      const refused = await project.call(method, path);
      expect([refused.status, refused.json.error.code]).toEqual([423, "locked"]);
    }
    release();
    expect((await project.ended(action)).status).toBe("success");
    expect((await act(`/servers/${server.id}/actions/poweron`)).status).toBe("success");
  });

  test("of one server run one after the other, those of another beside them", async () => {
    const [one, two] = [await running(), await running({ ...plainServer, name: "two" })];
    project.machines.calls.length = 0;
    const release = project.machines.hold();
    const { action } = await project.make(`/servers/${one.id}/actions/reboot`, {});
    await project.make("/firewalls", { name: "wall", apply_to: [{ type: "server", server: { id: one.id } }] });
    await project.make(`/servers/${two.id}/actions/reboot`, {});
    await until(async () => ({ done: project.machines.calls.length === 2, seen: project.machines.calls }));
    expect([...project.machines.calls].sort()).toEqual(["reboot two", "reboot web"]);
    release();
    await project.ended(action);
    await until(async () => ({
      done: project.machines.calls.includes("setFirewall web"),
      seen: project.machines.calls,
    }));
  });

  test("show their progress", async () => {
    let now = Date.now();
    const slow = await startProject({ clock: () => now, actionDelayMs: 20 });
    const release = slow.machines.hold();
    const { action } = await slow.make("/servers", plainServer);
    const progress: number[] = [];
    for (const ahead of [0, 2_000, 5_000]) {
      now += ahead;
      progress.push((await slow.call("GET", `/actions/${action.id}`)).json.action.progress);
    }
    release();
    await slow.ended(action);
    await slow.close();
    expect(progress[0]).toBeLessThan(progress[1] as number);
    expect(progress[2]).toBeLessThan(100);
  });

  test.each([
    ["poweroff", "stop_server", "off", false],
    ["shutdown", "shutdown_server", "off", false],
    ["reboot", "reboot_server", "running", true],
    ["reset", "reset_server", "running", true],
    ["poweron", "start_server", "running", true],
  ])("%s is %s and ends %s", async (path, command, status, on) => {
    const server = await running();
    expect(await act(`/servers/${server.id}/actions/${path}`)).toMatchObject({ command, status: "success" });
    expect(project.hetzner.inventory().servers[0]?.status).toBe(status);
    expect(project.machines.machines.get(server.id)?.on).toBe(on);
  });

  test("are listed by id, kind and resource", async () => {
    const server = await running();
    for (const path of ["/servers/actions", `/servers/${server.id}/actions`]) {
      const { json } = await project.call("GET", `${path}?status=success&sort=id:desc`);
      expect(json.actions.map(({ command }: Json) => command)).toEqual(["start_server", "create_server"]);
    }
    const { json } = await project.call("GET", "/servers/actions");
    const [first, second] = json.actions;
    const both = await project.call("GET", `/actions?id=${first.id}&id=${second.id}`);
    expect(both.json.actions).toEqual([first, second]);
    expect((await project.call("GET", `/servers/${server.id}/actions/${first.id}`)).json).toEqual({ action: first });
  });

  test("a protected server is not deleted", async () => {
    const server = await running();
    await act(`/servers/${server.id}/actions/change_protection`, { delete: true, rebuild: true });
    for (const [method, path, body] of [
      ["DELETE", `/servers/${server.id}`, undefined],
      ["POST", `/servers/${server.id}/actions/rebuild`, { image: "debian-12" }],
    ] as const) {
      const refused = await project.call(method, path, body);
      expect(refused.json.error.code).toBe("protected");
    }
  });
});

describe("disks", () => {
  test("a snapshot boots another server, and is removed with its image", async () => {
    const server = await running();
    const { image, action } = await project.make(`/servers/${server.id}/actions/create_image`, { description: "base" });
    expect(image).toMatchObject({ type: "snapshot", status: "creating", created_from: { name: "web" } });
    await project.ended(action);
    const copy = await running({ ...plainServer, name: "copy", image: image.id });
    const name = project.machines.machines.get(copy.id)?.spec.image;
    expect([...project.machines.snapshots]).toEqual([name]);
    expect((await project.call("DELETE", `/images/${image.id}`)).status).toBe(204);
    expect(project.machines.snapshots.size).toBe(0);
  });

  test("a rebuild makes the machine anew at its address", async () => {
    const server = await running();
    await act(`/servers/${server.id}/actions/rebuild`, { image: "debian-13" });
    expect(project.machines.calls.filter((call) => call.startsWith("create") || call.startsWith("remove"))).toEqual([
      "create web",
      "remove web",
      "create web",
    ]);
    expect(project.machines.machines.get(server.id)?.spec).toMatchObject({ image: "debian-13", ipv4: "10.213.7.10" });
  });

  test("another type takes effect at power-on, with the disk kept", async () => {
    const server = await running();
    await act(`/servers/${server.id}/actions/poweroff`);
    await act(`/servers/${server.id}/actions/change_type`, { server_type: "cx33", upgrade_disk: false });
    await act(`/servers/${server.id}/actions/poweron`);
    expect(project.machines.machines.get(server.id)?.spec).toMatchObject({
      cores: 4,
      diskGb: 40,
      image: `move-${server.id}`,
    });
    expect(project.machines.snapshots.size).toBe(0);
  });
});

test("a power cut switches the server off behind the API's back", async () => {
  const server = await running();
  await project.hetzner.powerCut("web");
  expect((await project.call("GET", `/servers/${server.id}`)).json.server.status).toBe("off");
  await expect(project.hetzner.powerCut("nobody")).rejects.toThrow("allowed: web");
});

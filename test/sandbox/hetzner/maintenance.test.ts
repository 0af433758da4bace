import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { type Json, plainServer, type Project, startProject } from "./project.ts";

let project: Project;
let server: number;
let now: number;

beforeEach(async () => {
  now = Date.parse("2026-07-01T12:00:00Z");
  project = await startProject({ clock: () => now });
  const created = await project.make("/servers", plainServer);
  await project.ended(created.next_actions[0]);
  server = created.server.id;
});

afterEach(() => project.close());

async function act(name: string, body: object = {}): Promise<Json> {
  const answer = await project.make(`/servers/${server}/actions/${name}`, body);
  expect(await project.ended(answer.action)).toMatchObject({
    command: name,
    status: "success",
    progress: 100,
    resources: expect.arrayContaining([{ id: server, type: "server" }]),
  });
  return answer;
}

const shown = async (): Promise<Json> => (await project.call("GET", `/servers/${server}`)).json.server;

async function refusal(method: string, path: string): Promise<unknown[]> {
  const { status, json } = await project.call(method, path);
  return [status, json?.error?.code];
}

describe("rescue mode", () => {
  test("is enabled with a password, and disabled", async () => {
    expect((await act("enable_rescue", { type: "linux64" })).root_password).toMatch(/^.{20}$/);
    expect(await shown()).toMatchObject({ rescue_enabled: true, status: "running" });
    await act("disable_rescue");
    expect((await shown()).rescue_enabled).toBe(false);
  });

  test("lasts for one boot", async () => {
    await act("enable_rescue");
    await project.ended((await project.make(`/servers/${server}/actions/reset`, {})).action);
    expect((await shown()).rescue_enabled).toBe(false);
  });

  test("ends when it is not used for an hour", async () => {
    await act("enable_rescue");
    now += 59 * 60_000;
    expect((await shown()).rescue_enabled).toBe(true);
    now += 60_000;
    expect((await shown()).rescue_enabled).toBe(false);
  });
});

describe("backups", () => {
  test("have a window, and images that belong to the server", async () => {
    expect((await shown()).backup_window).toBeNull();
    await act("enable_backup");
    const { backup_window: window } = await shown();
    expect(window).toMatch(/^\d\d-\d\d$/);
    await act("enable_backup");
    expect((await shown()).backup_window).toBe(window);
    const { image } = await act("create_image", { type: "backup" });
    expect(image).toMatchObject({ type: "backup", bound_to: server });
    const { json } = await project.call("GET", `/images?bound_to=${server}`);
    expect(json.images).toEqual([expect.objectContaining({ id: image.id, status: "available" })]);
    expect((await project.call("POST", `/images/${image.id}/actions/change_protection`, { delete: true })).status).toBe(
      422,
    );
  });

  test("are deleted when they are disabled; a snapshot is not", async () => {
    await act("enable_backup");
    const { image: converted } = await act("create_image", { type: "backup" });
    await act("create_image", { type: "backup" });
    await project.call("PUT", `/images/${converted.id}`, { type: "snapshot" });
    await act("disable_backup");
    expect(await shown()).toMatchObject({ backup_window: null });
    const { json } = await project.call("GET", "/images?type=snapshot&type=backup");
    expect(json.images).toEqual([expect.objectContaining({ id: converted.id, type: "snapshot", bound_to: null })]);
    expect([...project.machines.snapshots]).toEqual([`snapshot-${converted.id}`]);
  });

  test("are deleted with their server", async () => {
    await act("enable_backup");
    await act("create_image", { type: "backup" });
    await project.ended((await project.call("DELETE", `/servers/${server}`)).json.action);
    expect(project.hetzner.inventory().snapshots).toEqual([]);
    expect(project.machines.snapshots.size).toBe(0);
  });
});

describe("a password reset", () => {
  test("sets the password that it answers with, and keeps it out of the state and the log", async () => {
    const { root_password: password } = await act("reset_password");
    expect(project.machines.passwords.get(server)).toBe(password);
    expect(project.stateText()).not.toContain(password);
    expect(project.log.join("\n")).not.toContain(password);
  });

  test("that a restart interrupts fails, and says what to do", async () => {
    const release = project.machines.hold();
    const { action } = await project.make(`/servers/${server}/actions/reset_password`, {});
    project = await project.restart();
    release();
    expect(await project.ended(action)).toMatchObject({
      status: "error",
      error: { code: "action_failed", message: expect.stringContaining("reset it again") },
    });
  });
});

describe("deletion protection", () => {
  const protect = async (path: string, on: boolean, more: object = {}): Promise<void> => {
    const { action } = await project.make(`${path}/actions/change_protection`, { delete: on, ...more });
    expect(await project.ended(action)).toMatchObject({ command: "change_protection", status: "success" });
  };

  test("of a server", async () => {
    await protect(`/servers/${server}`, true, { rebuild: true });
    expect(await refusal("DELETE", `/servers/${server}`)).toEqual([403, "protected"]);
    await protect(`/servers/${server}`, false, { rebuild: false });
    expect((await project.call("DELETE", `/servers/${server}`)).status).toBe(200);
  });

  test.each([
    ["/primary_ips", { type: "ipv4" }],
    ["/volumes", { size: 10 }],
  ])("of one of %s", async (list, more) => {
    const created = await project.make(list, { name: "kept", location: "fsn1", ...more });
    const path = `${list}/${(created.primary_ip ?? created.volume).id}`;
    await protect(path, true);
    expect(await refusal("DELETE", path)).toEqual([403, "protected"]);
    await protect(path, false);
    expect((await project.call("DELETE", path)).status).toBe(204);
  });

  test("of an address excludes automatic deletion", async () => {
    const { primary_ip: ip } = await project.make("/primary_ips", { name: "ip", type: "ipv4", location: "fsn1" });
    const path = `/primary_ips/${ip.id}`;
    await protect(path, true);
    const refused = await project.call("PUT", path, { auto_delete: true });
    expect(refused.json.error).toMatchObject({ code: "invalid_input", details: { fields: [{ name: "auto_delete" }] } });
  });
});

describe("reverse names of a primary IP", () => {
  const make = async (type: string): Promise<Json> =>
    (await project.make("/primary_ips", { name: type, type, location: "fsn1" })).primary_ip;
  const change = async (id: number, ip: string, name: string | null): Promise<Json> => {
    const { action } = await project.make(`/primary_ips/${id}/actions/change_dns_ptr`, { ip, dns_ptr: name });
    expect(await project.ended(action)).toMatchObject({
      command: "change_dns_ptr",
      resources: [{ id, type: "primary_ip" }],
    });
    return (await project.call("GET", `/primary_ips/${id}`)).json.primary_ip.dns_ptr;
  };

  test("of an IPv4 address: set, and reset to the original", async () => {
    const { id, ip, dns_ptr: original } = await make("ipv4");
    expect(original).toEqual([{ ip, dns_ptr: expect.stringMatching(/^static\..*\.clients\.your-server\.de$/) }]);
    expect(await change(id, ip, "mail.example.com")).toEqual([{ ip, dns_ptr: "mail.example.com" }]);
    expect(await change(id, ip, null)).toEqual(original);
  });

  test("of addresses in an IPv6 network", async () => {
    const { id, ip } = await make("ipv6");
    const first = ip.replace("/64", "1");
    expect(await change(id, first, "one.example.com")).toEqual([{ ip: first, dns_ptr: "one.example.com" }]);
    expect(await change(id, first, null)).toEqual([]);
    for (const other of ["2001:db9::1", `${ip.replace("/64", "")}nonsense`]) {
      const refused = await project.call("POST", `/primary_ips/${id}/actions/change_dns_ptr`, {
        ip: other,
        dns_ptr: "x.example.com",
      });
      expect(refused.json.error.code).toBe("invalid_input");
    }
  });
});

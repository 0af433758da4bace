import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { type Json, otherKey, plainServer, type Project, publicKey, startProject } from "./project.ts";

let project: Project;
/** A running server with a key, a firewall, a primary IP and a volume, to refuse things to. */
let made: { server: number; off: number; key: number; firewall: number; ip: number; free: number; volume: number };

beforeAll(async () => {
  project = await startProject({ limits: { servers: 2, firewalls: 2 } });
  const { make } = project;
  const key = (await make("/ssh_keys", { name: "key", public_key: publicKey })).ssh_key;
  const ip = (await make("/primary_ips", { name: "ip", type: "ipv4", location: "fsn1" })).primary_ip;
  const free = (await make("/primary_ips", { name: "free", type: "ipv4", location: "fsn1" })).primary_ip;
  const firewall = (await make("/firewalls", { name: "wall" })).firewall;
  const volume = (await make("/volumes", { name: "disk", size: 10, location: "fsn1" })).volume;
  const created = await make("/servers", {
    ...plainServer,
    ssh_keys: ["key"],
    firewalls: [{ firewall: firewall.id }],
    public_net: { enable_ipv4: true, enable_ipv6: false, ipv4: ip.id },
  });
  const off = await make("/servers", { ...plainServer, name: "off", start_after_create: false });
  await project.ended(created.next_actions[0]);
  await project.ended(off.action);
  made = {
    server: created.server.id,
    off: off.server.id,
    key: key.id,
    firewall: firewall.id,
    ip: ip.id,
    free: free.id,
    volume: volume.id,
  };
});

afterAll(() => project.close());

/** `{server}` and the like in paths and bodies stand for the ids of what beforeAll made. */
function filled<T>(value: T): T {
  const text = JSON.stringify(value)
    .replace(/"\{(\w+)\}"/g, (_, name: keyof typeof made) => String(made[name]))
    .replace(/\{(\w+)\}/g, (_, name: keyof typeof made) => String(made[name]));
  return JSON.parse(text) as T;
}

type Row = readonly [request: string, body: object | undefined, status: number, code: string, field?: string];

const refused: readonly Row[] = [
  // What does not exist.
  ["GET /servers/1", undefined, 404, "not_found"],
  ["GET /servers/web", undefined, 404, "not_found"],
  ["GET /nonsense", undefined, 404, "not_found"],
  ["GET /actions/1", undefined, 404, "not_found"],
  ["DELETE /firewalls/1", undefined, 404, "not_found"],
  ["DELETE /volumes/1", undefined, 404, "not_found"],
  ["GET /networks/1", undefined, 404, "not_found"],
  ["POST /servers", { ...plainServer, name: "x", server_type: "cx99" }, 404, "not_found"],
  ["POST /servers", { ...plainServer, name: "x", image: "debian-11" }, 404, "not_found"],
  ["POST /servers", { ...plainServer, name: "x", location: "mars" }, 404, "not_found"],
  ["POST /servers", { ...plainServer, name: "x", ssh_keys: [1] }, 404, "not_found"],
  ["POST /servers", { ...plainServer, name: "x", firewalls: [{ firewall: 1 }] }, 404, "not_found"],
  ["GET /actions", undefined, 410, "deprecated_api_endpoint"],
  ["GET /datacenters", undefined, 410, "deprecated_api_endpoint"],
  // What is not as documented.
  ["POST /servers", { ...plainServer, colour: "red" }, 422, "invalid_input", "colour"],
  [
    "POST /servers",
    { ...plainServer, public_net: { enable_ipv5: true } },
    422,
    "invalid_input",
    "public_net.enable_ipv5",
  ],
  ["POST /servers", { ...plainServer, name: "under_score" }, 422, "invalid_input", "name"],
  ["POST /servers", { ...plainServer, name: undefined }, 422, "invalid_input", "name"],
  ["POST /servers", { ...plainServer, start_after_create: "yes" }, 422, "invalid_input", "start_after_create"],
  ["POST /servers", { ...plainServer, user_data: "x".repeat(32_769) }, 422, "invalid_input", "user_data"],
  ["POST /servers", { ...plainServer, labels: { "a b": "c" } }, 422, "invalid_input", "labels"],
  ["POST /servers", { ...plainServer, labels: { "hetzner.cloud/x": "c" } }, 422, "invalid_input", "labels"],
  ["POST /ssh_keys", { name: "a", public_key: "ssh-ed25519 nonsense" }, 422, "invalid_input", "public_key"],
  ["POST /primary_ips", { name: "a", type: "ipv5", location: "fsn1" }, 422, "invalid_input", "type"],
  ["POST /primary_ips", { name: "a", type: "ipv4" }, 422, "invalid_input", "location"],
  ["POST /volumes", { name: "a", size: 1, location: "fsn1" }, 422, "invalid_input", "size"],
  ["POST /firewalls", { name: "a", rules: [rule({ port: undefined })] }, 422, "invalid_input", "rules.0.port"],
  ["POST /firewalls", { name: "a", rules: [rule({ port: "70000" })] }, 422, "invalid_input", "rules.0.port"],
  ["POST /firewalls", { name: "a", rules: [rule({ protocol: "icmp" })] }, 422, "invalid_input", "rules.0.port"],
  ["POST /firewalls", { name: "a", rules: [rule({ source_ips: [] })] }, 422, "invalid_input", "rules.0.source_ips"],
  [
    "POST /firewalls",
    { name: "a", rules: [rule({ source_ips: ["1.2.3.4"] })] },
    422,
    "invalid_input",
    "rules.0.source_ips.0",
  ],
  ["GET /servers?per_page=51", undefined, 422, "invalid_input", "per_page"],
  ["GET /servers?page=0", undefined, 422, "invalid_input", "page"],
  ["GET /servers?sort=colour", undefined, 422, "invalid_input", "sort"],
  ["GET /servers?label_selector=a%20b", undefined, 422, "invalid_input", "label_selector"],
  // What Hetzner does not sell, or no longer.
  ["POST /servers", { ...plainServer, name: "x", location: "ash" }, 422, "invalid_input", "location"],
  ["POST /servers", { ...plainServer, name: "x", server_type: "cx22" }, 422, "invalid_input", "server_type"],
  ["POST /servers", { ...plainServer, name: "x", image: "114690389" }, 422, "invalid_input", "image"],
  // What exists already.
  ["POST /servers", plainServer, 409, "uniqueness_error", "name"],
  ["PUT /servers/{off}", { name: "web" }, 409, "uniqueness_error", "name"],
  ["POST /ssh_keys", { name: "key", public_key: otherKey }, 409, "uniqueness_error", "name"],
  ["POST /ssh_keys", { name: "other", public_key: publicKey }, 409, "uniqueness_error", "public_key"],
  ["POST /primary_ips", { name: "ip", type: "ipv4", location: "fsn1" }, 409, "uniqueness_error", "name"],
  ["POST /firewalls", { name: "wall" }, 409, "uniqueness_error", "name"],
  ["POST /volumes", { name: "disk", size: 10, location: "fsn1" }, 409, "uniqueness_error", "name"],
  // What is not possible in this state.
  ["POST /servers/{server}/actions/enable_rescue", { type: "freebsd64" }, 422, "invalid_input", "type"],
  ["POST /servers/{server}/actions/enable_rescue", { ssh_keys: [1] }, 404, "not_found"],
  ["POST /servers/{off}/actions/reset_password", undefined, 422, "unsupported_error"],
  ["POST /servers/{server}/actions/create_image", { type: "backup" }, 422, "invalid_input", "type"],
  [
    "POST /primary_ips/{free}/actions/change_dns_ptr",
    { ip: "10.213.7.99", dns_ptr: "a.example.com" },
    422,
    "invalid_input",
    "ip",
  ],
  [
    "POST /primary_ips/{free}/actions/change_dns_ptr",
    { ip: "10.213.7.11", dns_ptr: "not a name" },
    422,
    "invalid_input",
    "dns_ptr",
  ],
  ["POST /primary_ips/{free}/actions/change_protection", {}, 422, "invalid_input", "delete"],
  [
    "POST /firewalls",
    { name: "a", apply_to: [{ type: "server", server: { id: 1 } }] },
    422,
    "firewall_resource_not_found",
  ],
  // What is in use.
  ["DELETE /firewalls/{firewall}", undefined, 422, "resource_in_use"],
  ["DELETE /primary_ips/{ip}", undefined, 422, "must_be_unassigned"],
  ["POST /primary_ips/{ip}/actions/unassign", {}, 422, "server_not_stopped"],
  [
    "POST /primary_ips/{free}/actions/assign",
    { assignee_id: "{server}", assignee_type: "server" },
    422,
    "server_not_stopped",
  ],
  [
    "POST /primary_ips/{free}/actions/assign",
    { assignee_id: "{off}", assignee_type: "server" },
    422,
    "server_has_ipv4",
  ],
  [
    "POST /primary_ips/{ip}/actions/assign",
    { assignee_id: "{off}", assignee_type: "server" },
    422,
    "primary_ip_already_assigned",
  ],
  [
    "POST /servers/{server}/actions/change_type",
    { server_type: "cx33", upgrade_disk: true },
    422,
    "server_not_stopped",
  ],
  ["POST /servers/{off}/actions/change_type", { server_type: "cax11", upgrade_disk: true }, 422, "invalid_server_type"],
  ["POST /firewalls/{firewall}/actions/apply_to_resources", applyTo("{server}"), 422, "firewall_already_applied"],
  ["POST /firewalls/{firewall}/actions/apply_to_resources", applyTo(1), 404, "firewall_resource_not_found"],
  ["DELETE /images/114690387", undefined, 403, "forbidden"],
  ["POST /servers", { ...plainServer, name: "third" }, 403, "resource_limit_exceeded"],
  // What the sandbox cannot do, and says so.
  ["POST /servers/{server}/actions/request_console", undefined, 422, "unsupported_error"],
  ["POST /networks", { name: "n", ip_range: "10.0.0.0/16" }, 422, "unsupported_error"],
  ["POST /servers", { ...plainServer, name: "x", public_net: { enable_ipv4: false } }, 422, "unsupported_error"],
];

function rule(change: object): object {
  return { direction: "in", protocol: "tcp", port: "22", source_ips: ["0.0.0.0/0"], ...change };
}

function applyTo(id: number | string): object {
  return { apply_to: [{ type: "server", server: { id } }] };
}

describe("the API refuses", () => {
  // The field comes as a rest: jest gives a missing last argument its `done` callback.
  test.each(refused)("%s %j: %i %s", async (request, body, status, code, ...[field]) => {
    const before = JSON.stringify(project.hetzner.inventory());
    const [method = "", path = ""] = filled(request).split(" ");
    const answer = await project.call(method, path, body && filled(body));
    expect(answer.json).toEqual({
      error: { code, message: expect.any(String), details: field === undefined ? detailsOf(code) : fields(field) },
    });
    expect(answer.status).toBe(status);
    expect(JSON.stringify(project.hetzner.inventory())).toBe(before);
  });

  test("a body that is not JSON", async () => {
    const answer = await project.call("POST", "/servers", "{");
    expect([answer.status, answer.json.error.code]).toEqual([400, "json_error"]);
  });

  test.each(["", "Bearer", "Bearer wrong", `Basic ${"t".repeat(64)}`])(
    "the authorization '%s'",
    async (authorization) => {
      const answer = await project.call("GET", "/servers", undefined, { authorization });
      expect([answer.status, answer.json.error.code]).toEqual([401, "unauthorized"]);
      expect(answer.headers.get("ratelimit-limit")).toBe("3600");
    },
  );
});

function fields(name: string): Json {
  return { fields: expect.arrayContaining([expect.objectContaining({ name })]) };
}

/** Only two other codes come with details. */
function detailsOf(code: string): Json {
  return ["deprecated_api_endpoint", "resource_limit_exceeded"].includes(code) ? expect.any(Object) : null;
}

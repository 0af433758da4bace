import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { DescriptionCheck } from "./description.ts";
import { descriptionFile, type Json, plainServer, type Project, publicKey, startProject } from "./project.ts";
import { mismatches, requestKey, shapes } from "./shapes.ts";

/** A project whose successful requests are recorded. */
async function recorded(): Promise<{ project: Project; seen: Set<string> }> {
  const project = await startProject();
  const seen = new Set<string>();
  const call: Project["call"] = async (method, path, body) => {
    const answer = await project.call(method, path, body);
    if (answer.status < 300) {
      seen.add(requestKey(method, path));
    }
    return answer;
  };
  return { project: { ...project, call }, seen };
}

/** Calls every endpoint once; the responses are checked where they arrive, in project.ts. */
async function tour(project: Project): Promise<void> {
  const ok = async (method: string, path: string, body?: object): Promise<Json> => {
    const { status, json } = await project.call(method, path, body);
    expect([`${method} ${path}`, status < 300, json]).toEqual([`${method} ${path}`, true, json]);
    if (json?.action !== undefined) {
      await project.ended(json.next_actions?.at(-1) ?? json.action);
    }
    return json;
  };
  const post = (path: string, body: object = {}): Promise<Json> => ok("POST", path, body);

  const key = (await post("/ssh_keys", { name: "key", public_key: publicKey })).ssh_key.id;
  const ip = (await post("/primary_ips", { name: "ip", type: "ipv4", location: "fsn1" })).primary_ip.id;
  const server = (await post("/servers", { ...plainServer, ssh_keys: [key] })).server.id;
  const firewall = (await post("/firewalls", { name: "wall", rules: [rule] })).firewall.id;
  const volume = (await post("/volumes", { name: "disk", size: 10, location: "fsn1" })).volume.id;
  const act = (name: string, body?: object): Promise<Json> => post(`/servers/${server}/actions/${name}`, body);

  await act("enable_rescue", { ssh_keys: [key] });
  await ok("GET", `/servers/${server}`);
  await act("disable_rescue");
  await act("reset_password");
  await act("enable_backup");
  await act("create_image", { type: "backup" });
  await ok("GET", "/images?type=backup");
  await act("disable_backup");
  const image = (await act("create_image", { type: "snapshot" })).image.id;
  await act("change_dns_ptr", { ip: "10.213.7.11", dns_ptr: "web.example.com" });
  await act("change_protection", { delete: false, rebuild: false });
  for (const name of ["reboot", "reset", "shutdown", "poweron"]) {
    await act(name);
  }
  await act("rebuild", { image: "debian-12" });
  await act("poweroff");
  await act("change_type", { server_type: "cx33", upgrade_disk: false });

  const target = { type: "server", server: { id: server } };
  await post(`/firewalls/${firewall}/actions/apply_to_resources`, { apply_to: [target] });
  await ok("GET", "/firewalls");
  await post(`/firewalls/${firewall}/actions/set_rules`, { rules: [] });
  await post(`/firewalls/${firewall}/actions/remove_from_resources`, { remove_from: [target] });
  await post(`/volumes/${volume}/actions/attach`, { server });
  await post(`/volumes/${volume}/actions/detach`);
  await post(`/volumes/${volume}/actions/resize`, { size: 20 });
  await post(`/volumes/${volume}/actions/change_protection`, { delete: false });
  await post(`/images/${image}/actions/change_protection`, { delete: false });
  const own = (await ok("GET", `/servers/${server}`)).server.public_net.ipv4.id;
  await post(`/primary_ips/${own}/actions/unassign`);
  await post(`/primary_ips/${ip}/actions/assign`, { assignee_id: server, assignee_type: "server" });
  await post(`/primary_ips/${ip}/actions/change_dns_ptr`, { ip: "10.213.7.10", dns_ptr: "ip.example.com" });
  await post(`/primary_ips/${ip}/actions/change_protection`, { delete: false });

  const ids = { servers: server, primary_ips: ip, firewalls: firewall, images: image, volumes: volume, ssh_keys: key };
  for (const [path, id] of Object.entries(ids)) {
    await ok("GET", `/${path}`);
    await ok("GET", `/${path}/${id}`);
    await ok("PUT", `/${path}/${id}`, { labels: { a: "b" } });
    if (path !== "ssh_keys") {
      const { actions } = await ok("GET", `/${path}/${id}/actions`);
      await ok("GET", `/${path}/actions`);
      await ok("GET", `/${path}/actions/${actions[0].id}`);
      await ok("GET", `/${path}/${id}/actions/${actions[0].id}`);
      await ok("GET", `/actions?id=${actions[0].id}`);
    }
  }
  for (const path of ["server_types", "locations"]) {
    const list = await ok("GET", `/${path}`);
    await ok("GET", `/${path}/${list[path][0].id}`);
  }
  await ok("GET", "/pricing");
  for (const [path, id] of Object.entries(ids)) {
    await ok("DELETE", `/${path}/${id}`);
  }
}

const rule = { direction: "in", protocol: "tcp", port: "22", source_ips: ["0.0.0.0/0"], description: null };

const title =
  descriptionFile === undefined
    ? "every endpoint answers in its shape"
    : "every endpoint answers in its shape, and as the API description says";

test(`${title}`, async () => {
  const { project, seen } = await recorded();
  await tour(project);
  await project.close();
  // SSH keys have no actions; single actions are read while the tour waits for them, past the recorder.
  const known = Object.keys(shapes).filter((key) => !/ssh_keys\/.*actions|GET \/actions\/\{id\}/.test(key));
  expect(known.filter((key) => !seen.has(key))).toEqual([]);
});

describe("a response that is not in its shape", () => {
  const address = {
    id: 1,
    name: "ip",
    type: "ipv4",
    ip: "192.0.2.1",
    location: {
      id: 1,
      name: "fsn1",
      description: "Falkenstein",
      country: "DE",
      city: "Falkenstein",
      latitude: 50.4,
      longitude: 12.3,
      network_zone: "eu-central",
    },
    created: "2026-07-01T00:00:00+00:00",
    labels: {},
    assignee_id: null,
    assignee_type: "unassigned",
    auto_delete: false,
    blocked: false,
    protection: { delete: false },
    dns_ptr: [],
  };
  const wrong = (change: object, status = 200): string[] =>
    mismatches("GET", "/primary_ips/1", status, { primary_ip: { ...address, ...change } });

  test("is named by its field", () => {
    expect(wrong({})).toEqual([]);
    expect(wrong({ name: null })).toEqual([expect.stringContaining("GET /primary_ips/{id} 200 primary_ip.name")]);
    expect(wrong({ blocked: undefined })).toEqual([expect.stringContaining("primary_ip.blocked")]);
    expect(wrong({ datacenter: null })).toEqual([expect.stringContaining("datacenter")]);
    expect(wrong({}, 404)).not.toEqual([]);
    expect(mismatches("GET", "/unknown/1", 200, {})).toEqual(["GET /unknown/{id}: no shape"]);
  });
});

describe("a description", () => {
  const text = { type: "string" };
  const described = {
    components: {
      schemas: {
        thing: { type: "object", properties: { name: text, datacenter: text }, required: ["name", "datacenter"] },
      },
    },
    paths: {
      "/things/{key}": {
        get: {
          responses: {
            200: {
              content: {
                "application/json": {
                  schema: {
                    type: "object",
                    properties: {
                      thing: { allOf: [{ $ref: "#/components/schemas/thing" }], nullable: true },
                      kinds: { type: "array", items: { type: "string", enum: ["a", "b"] } },
                    },
                    required: ["thing"],
                  },
                },
              },
            },
            204: {},
          },
        },
      },
    },
  };
  const rows: readonly [status: number, json: unknown, wrong: string | undefined][] = [
    [200, { thing: { name: "x" } }, undefined],
    [200, { thing: null, kinds: ["a"] }, undefined],
    [200, { thing: { name: "x" }, kinds: ["c"] }, "GET /things/{id} 200 kinds.0"],
    [200, { thing: { name: null } }, "thing.name"],
    [200, { thing: {} }, "thing.name"],
    [200, { thing: { name: "x", nmae: "y" } }, "nmae"],
    [200, { thing: { name: "x", datacenter: "y" } }, "datacenter"],
    [200, {}, "thing"],
    [204, null, undefined],
    [204, {}, "described without a body"],
    [201, {}, "status 201 is not in the description"],
  ];

  test.each(rows)("finds what is wrong with %i %j", (status, json, ...[wrong]) => {
    const directory = mkdtempSync(join(tmpdir(), "vpai-description-"));
    writeFileSync(join(directory, "api.json"), JSON.stringify(described));
    const check = new DescriptionCheck(join(directory, "api.json"));
    rmSync(directory, { recursive: true });
    const found = check.mismatches("GET", "/things/1", status, json);
    expect(found).toEqual(wrong === undefined ? [] : [expect.stringContaining(wrong)]);
  });
});

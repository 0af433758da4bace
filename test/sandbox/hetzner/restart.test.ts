import { readdirSync, statSync, writeFileSync } from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "@jest/globals";

import { PretendMachines } from "./pretend-machines.ts";
import { plainServer, publicKey, startProject } from "./project.ts";

test("a restarted API has what it had", async () => {
  const first = await startProject();
  await first.make("/ssh_keys", { name: "key", public_key: publicKey });
  await first.make("/firewalls", { name: "wall" });
  const created = await first.make("/servers", { ...plainServer, ssh_keys: ["key"] });
  await first.ended(created.next_actions[0]);
  const before = (await first.call("GET", `/servers/${created.server.id}`)).json;
  const second = await first.restart();
  expect((await second.call("GET", `/servers/${created.server.id}`)).json).toEqual(before);
  expect(second.hetzner.inventory()).toEqual(first.hetzner.inventory());
  const more = await second.make("/firewalls", { name: "another" });
  expect(more.firewall.id).toBeGreaterThan(created.next_actions[0].id);
  await second.close();
});

test("actions that a killed supervisor left running are taken up again", async () => {
  const first = await startProject();
  const release = first.machines.hold();
  const created = await first.make("/servers", plainServer);
  const second = await first.restart();
  release();
  expect((await second.ended(created.next_actions[0])).status).toBe("success");
  expect(second.hetzner.inventory().servers).toEqual([expect.objectContaining({ name: "web", status: "running" })]);
  expect(second.machines.machines.size).toBe(1);
  await second.close();
});

test("the state is whole and for its owner only", async () => {
  const directory = mkdtempSync(join(tmpdir(), "vpai-hetzner-"));
  const project = await startProject({}, new PretendMachines(), directory);
  await project.make("/firewalls", { name: "wall" });
  expect(readdirSync(directory)).toEqual(["hetzner.json"]);
  expect(statSync(join(directory, "hetzner.json")).mode & 0o777).toBe(0o600);
  await project.close();
});

test("a file that is no state is named, with what to do", async () => {
  const directory = mkdtempSync(join(tmpdir(), "vpai-hetzner-"));
  writeFileSync(join(directory, "hetzner.json"), "{}");
  await expect(startProject({}, new PretendMachines(), directory)).rejects.toThrow(
    /hetzner\.json.*\n {2}do: .*sandbox:down/,
  );
});

test("a port in use is named, with what to do", async () => {
  const project = await startProject();
  const port = Number(new URL(project.hetzner.endpoint).port);
  await expect(startProject({ port })).rejects.toThrow(`127.0.0.1:${port} is in use`);
  await project.close();
});

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { readdir } from "node:fs/promises";
import { closeWorld, openWorld, type World } from "../../sandbox/supervisor/client.ts";
import { instanceOf } from "../../sandbox/supervisor/instance.ts";
import { livePid } from "../../sandbox/supervisor/pidfile.ts";
import { api, makeServer } from "./support/hetzner.ts";
import { eventually, makeKeys, ssh, type SshKeys } from "./support/ssh.ts";
import { traces } from "./support/traces.ts";

const name = `first-${process.pid}`;
const other = `other-${process.pid}`;
const report = () => undefined;

let world: World;
let keys: SshKeys;
let server: { id: number; ip: string };

const open = (instance: string) => openWorld(instance, { report });
const on = (script: string) => ssh(keys, "root", server.ip, script);
const reached = () =>
  eventually(
    `ssh to ${server.ip}`,
    60,
    () => on("echo in"),
    ({ status }) => status === 0,
  );

beforeAll(async () => {
  keys = await makeKeys();
  world = await open(name);
  await api(world, "POST", "/ssh_keys", { name: "client", public_key: keys.clientPublic });
  const user_data = `#cloud-config\n${JSON.stringify({ ssh_keys: { ed25519_private: keys.hostPrivate, ed25519_public: keys.hostPublic } })}`;
  server = await makeServer(world, { name: "web", image: "debian-12", ssh_keys: ["client"], user_data });
  await reached();
}, 300_000);

afterAll(async () => {
  await closeWorld(name);
  await closeWorld(other);
  await keys.remove();
}, 60_000);

test("a supervisor that was killed is followed by one that takes everything over", async () => {
  const instance = instanceOf(name);
  const killed = await livePid(instance);
  process.kill(killed ?? 0, "SIGKILL");
  await eventually(
    "its end",
    10,
    () => livePid(instance),
    (pid) => pid === undefined,
  );
  const again = await open(name);
  expect(again.env()).toEqual(world.env());
  expect((await again.inventory()).cloud.servers).toMatchObject([{ name: "web", ipv4: server.ip, status: "running" }]);
  await reached();
}, 60_000);

test("two are open at once, and neither sees the other", async () => {
  const second = await open(other);
  expect(second.subnet).not.toBe(world.subnet);
  expect(second.port).not.toBe(world.port);
  expect((await second.inventory()).cloud.servers).toEqual([]);
  const refused = await fetch(`${second.hetzner.endpoint}/servers`, {
    headers: { authorization: `Bearer ${world.hetzner.token}` },
  });
  expect(refused.status).toBe(401);
  expect((await on(`curl -s -m 10 http://${second.gateway}/ && echo reached || echo unreachable`)).output).toBe(
    "unreachable",
  );
}, 60_000);

test("an open one is found as it is, and says so when asked to be elsewhere", async () => {
  const pid = await livePid(instanceOf(name));
  await open(name);
  expect(await livePid(instanceOf(name))).toBe(pid);
  const elsewhere = openWorld(name, { report, env: { VPAI_SANDBOX_SUBNET: "10.213.250.0/24" } });
  await expect(elsewhere).rejects.toThrow(`this sandbox is up in ${world.subnet}`);
});

test("a subnet or a port that is taken is refused before anything is made", async () => {
  const instance = `late-${process.pid}`;
  const inUse = openWorld(instance, { report, env: { ...process.env, VPAI_SANDBOX_SUBNET: world.subnet } });
  await expect(inUse).rejects.toThrow(
    `VPAI_SANDBOX_SUBNET: ${world.subnet} is in use by the Docker network ${instanceOf(name).prefix}`,
  );
  const port = openWorld(instance, { report, env: { ...process.env, VPAI_SANDBOX_PORT: String(world.port) } });
  await expect(port).rejects.toThrow(`VPAI_SANDBOX_PORT: 127.0.0.1:${world.port} is in use`);
  // A failed start keeps its log, and nothing else.
  expect(await traces(instance)).toEqual([instanceOf(instance).dir]);
  expect(await readdir(instanceOf(instance).dir)).toEqual(["supervisor.log", "tmp"]);
  await closeWorld(instance);
  expect(await traces(instance)).toEqual([]);
}, 30_000);

test("a closed one leaves nothing, even when its supervisor was killed and its memory lost", async () => {
  expect((await traces(name)).length).toBeGreaterThan(5);
  process.kill((await livePid(instanceOf(name))) ?? 0, "SIGKILL");
  await closeWorld(name);
  await closeWorld(other);
  expect(await traces(name)).toEqual([]);
  expect(await traces(other)).toEqual([]);
}, 60_000);

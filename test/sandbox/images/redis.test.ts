import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Bench } from "./container-harness.ts";
import { docker, openBench, pins, untilExec } from "./container-harness.ts";

const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"];
const bookworm = `docker.io/library/redis:8.4.0-bookworm@sha256:${"0".repeat(64)}`;
let bench: Bench;

beforeAll(async () => {
  bench = await openBench([pins.redis, bookworm]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

test("runs locked down with an ACL file, refuses who is not in it, keeps its data over a restart", async () => {
  const acl = await bench.file(
    "users.acl",
    "user default off\nuser app on >secret-word ~app:* +@all -@dangerous\n",
    999,
  );
  const config = await bench.file("redis.conf", "aclfile /etc/redis/users.acl\nappendonly yes\n", 999);
  const mounts = ["-v", `${acl}:/etc/redis/users.acl:ro`, "-v", `${config}:/etc/redis/redis.conf:ro`];
  const options = [...locked, "--user", "999:1000", ...mounts];
  const container = await bench.start("redis", pins.redis, options, ["redis-server", "/etc/redis/redis.conf"]);
  const cli = (password: string, ...command: readonly string[]) =>
    bench.exec(container, "env", `REDISCLI_AUTH=${password}`, "redis-cli", "-h", "redis", "--user", "app", ...command);
  await untilExec(container, "env", "REDISCLI_AUTH=secret-word", "redis-cli", "-e", "--user", "app", "ping");
  expect(await cli("secret-word", "set", "app:a", "1")).toBe("OK");
  expect(await cli("secret-word", "flushall")).toMatch(/^NOPERM/);
  expect(await cli("secret-word", "get", "other")).toMatch(/^NOPERM/);
  expect(await bench.exec(container, "redis-cli", "-h", "redis", "ping")).toMatch(/^NOAUTH/);
  expect(await bench.exec(container, "stat", "-c", "%u:%g", "/proc/1")).toBe("999:1000");
  await docker("restart", container);
  await untilExec(container, "env", "REDISCLI_AUTH=secret-word", "redis-cli", "-e", "--user", "app", "ping");
  expect(await cli("secret-word", "get", "app:a")).toBe("1");
});

test("started as root becomes user redis and answers other containers, as upstream's build does", async () => {
  const container = await bench.start("open", bookworm);
  expect(await untilExec(container, "redis-cli", "-e", "-h", "open", "ping")).toBe("PONG");
  expect(await bench.exec(container, "stat", "-c", "%u:%g", "/proc/1", "/data")).toBe("999:999\n999:999");
});

test("takes options alone for the server's", async () => {
  const container = await bench.start("options", pins.redis, [], ["--maxmemory", "64mb"]);
  expect(await untilExec(container, "redis-cli", "-e", "config", "get", "maxmemory")).toBe("maxmemory\n67108864");
});

test("runs another command as it is", async () => {
  const { code, output } = await bench.once(pins.redis, [], ["redis-cli", "--version"]);
  expect([code, output]).toEqual([0, expect.stringMatching(/^redis-cli 8\.0\./)]);
});

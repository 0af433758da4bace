import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Bench } from "./container-harness.ts";
import { openBench, untilExec } from "./container-harness.ts";

const pin = `ghcr.io/tecnativa/docker-socket-proxy:v0.5.0@sha256:${"0".repeat(64)}`;
let bench: Bench;

beforeAll(async () => {
  bench = await openBench([pin]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

/** Starts it with some variables; answers what it says to requests. */
async function proxy(
  name: string,
  variables: readonly string[],
): Promise<(method: string, path: string) => Promise<number>> {
  const locked = [
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
    "--read-only",
    "--tmpfs",
    "/tmp",
    "--tmpfs",
    "/run",
  ];
  const socket = ["--volume", "/var/run/docker.sock:/var/run/docker.sock:ro"];
  const container = await bench.start(name, pin, [
    ...locked,
    ...socket,
    ...variables.flatMap((each) => ["--env", each]),
  ]);
  await untilExec(container, "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:2375/_ping");
  const url = `http://${await bench.address(container)}:2375`;
  return async (method, path) => (await fetch(`${url}${path}`, { method })).status;
}

test("is closed but for what tells hardly anything, unless it is told otherwise", async () => {
  const ask = await proxy("closed", []);
  expect([await ask("GET", "/version"), await ask("GET", "/_ping")]).toEqual([200, 200]);
  for (const path of ["/containers/json", "/networks", "/info", "/images/json", "/volumes"]) {
    expect([path, await ask("GET", path)]).toEqual([path, 403]);
  }
});

test("opens a section and a method for the variable called so, and each inside of a container for its own", async () => {
  const ask = await proxy("open", ["CONTAINERS=1", "VOLUMES=1", "POST=1", "DISABLE_IPV6=1"]);
  expect(await ask("GET", "/v1.41/containers/json")).toBe(200);
  expect(await ask("GET", "/volumes")).toBe(200);
  // The daemon's answer: it has no container of that name.
  expect(await ask("POST", "/containers/no-such-container/start")).toBe(404);
  expect(await ask("GET", "/containers/no-such-container/logs")).toBe(403);
  expect(await ask("POST", "/containers/no-such-container/exec")).toBe(403);
  expect(await ask("DELETE", "/volumes/no-such-volume")).toBe(403);
  expect(await ask("GET", "/networks")).toBe(403);
});

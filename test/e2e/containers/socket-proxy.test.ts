import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { socketProxy } from "../../../components/services/socket-proxy/service.ts";
import { testContext } from "../../support/context.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { openBench } from "../../sandbox/images/container-harness.ts";
import { startAsDefined } from "./docker-run-args.ts";

let bench: Bench;
let container: string;
let url: string;

beforeAll(async () => {
  bench = await openBench([socketProxy.image.pin]);
  container = await startAsDefined(bench, socketProxy, { context: testContext() });
  url = `http://${await bench.address(container)}:2375`;
}, 300_000);
afterAll(() => bench.clear(), 120_000);

const status = async (method: string, path: string): Promise<number> => {
  const stop = new AbortController();
  const answer = await fetch(`${url}${path}`, { method, signal: stop.signal });
  stop.abort();
  return answer.status;
};

test("Alloy finds containers and networks, reads logs and hears events", async () => {
  const listed = (await (await fetch(`${url}/v1.41/containers/json`)).json()) as { Names: string[] }[];
  expect(listed.flatMap(({ Names }) => Names)).toContain(`/${container}`);
  for (const path of [
    "/_ping",
    "/version",
    "/info",
    "/networks",
    "/events",
    `/containers/${container}/json`,
    `/v1.41/containers/${container}/logs?stdout=1`,
  ]) {
    expect([path, await status("GET", path)]).toEqual([path, 200]);
  }
});

test.each([
  ["POST", "/containers/create"],
  ["POST", "/v1.41/containers/x/exec"],
  ["POST", "/containers/x/restart"],
  ["POST", "/networks/create"],
  ["PUT", "/containers/x/archive"],
  ["DELETE", "/containers/x"],
  ["GET", "/containers/x/archive?path=/etc/shadow"],
  ["GET", "/containers/x/export"],
  ["GET", "/containers/x/attach/ws"],
  ["GET", "/exec/x/json"],
  ["GET", "/volumes"],
  ["GET", "/v1.41/images/json"],
  ["GET", "/secrets"],
  ["GET", "/swarm"],
  ["GET", "/system/df"],
  ["GET", "/%76olumes"],
  ["GET", "/"],
])("refuses %s %s", async (method, path) => {
  expect(await status(method, path)).toBe(403);
});

test("its smoke checks print what they should", async () => {
  for (const check of socketProxy.smoke) {
    if (!("exec" in check)) throw new Error("asked from outside");
    expect(await bench.exec(container, ...check.exec)).toMatch(check.prints);
  }
});

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { RateLimit } from "../../../sandbox/hetzner/wire/ratelimit.ts";
import { plainServer, type Project, startProject } from "./project.ts";

let project: Project;
let now: number;

beforeEach(async () => {
  now = 1_790_000_000_000;
  project = await startProject({ clock: () => now });
});

afterEach(() => project.close());

describe("faults", () => {
  test("hetzner-5xx answers only what it matches, as often as told", async () => {
    project.faults.inject({ name: "hetzner-5xx", match: "POST /firewalls", times: 1 });
    expect((await project.call("GET", "/firewalls")).status).toBe(200);
    const struck = await project.call("POST", "/firewalls", { name: "wall" });
    expect([struck.status, struck.json.error.code]).toEqual([500, "service_error"]);
    expect(project.hetzner.inventory().firewalls).toEqual([]);
    expect((await project.call("POST", "/firewalls", { name: "wall" })).status).toBe(201);
  });

  test("hetzner-429 says that nothing is left", async () => {
    project.faults.inject({ name: "hetzner-429", times: 1 });
    const struck = await project.call("GET", "/servers");
    expect([struck.status, struck.json.error.code]).toEqual([429, "rate_limit_exceeded"]);
    expect(struck.headers.get("ratelimit-remaining")).toBe("0");
    expect((await project.call("GET", "/servers")).status).toBe(200);
  });

  test("hetzner-error answers with the code, and a token that may only read still reads", async () => {
    project.faults.inject({ name: "hetzner-error", code: "placement_error", match: "POST /servers", times: 1 });
    const struck = await project.call("POST", "/servers", plainServer);
    expect([struck.status, struck.json.error.code]).toEqual([412, "placement_error"]);
    project.faults.inject({ name: "hetzner-error", code: "token_readonly" });
    const refused = await project.call("POST", "/servers", plainServer);
    expect([refused.status, refused.json.error.code]).toEqual([403, "token_readonly"]);
    expect((await project.call("GET", "/servers")).status).toBe(200);
  });

  test("hetzner-slow answers late", async () => {
    project.faults.inject({ name: "hetzner-slow", ms: 150, times: 1 });
    const start = performance.now();
    expect((await project.call("GET", "/servers")).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThanOrEqual(145);
  });

  test("no-capacity refuses the order and shows in the server type", async () => {
    project.faults.inject({ name: "no-capacity", serverType: "cx23", location: "fsn1" });
    const struck = await project.call("POST", "/servers", plainServer);
    expect([struck.status, struck.json.error]).toEqual([
      412,
      { code: "resource_unavailable", message: "error during placement", details: null },
    ]);
    const { json } = await project.call("GET", "/server_types?name=cx23");
    expect(json.server_types[0].locations.map(({ available }: { available: boolean }) => available)).toEqual([
      false,
      true,
      true,
    ]);
    const elsewhere = await project.make("/servers", { ...plainServer, location: undefined });
    expect(elsewhere.server.location.name).toBe("nbg1");
  });
});

describe("the rate limit", () => {
  const left = async (): Promise<number> => {
    const { headers } = await project.call("GET", "/locations");
    return Number(headers.get("ratelimit-remaining"));
  };

  test("counts down with every request and recovers by one a second", async () => {
    expect([await left(), await left(), await left()]).toEqual([3599, 3598, 3597]);
    now += 2000;
    expect(await left()).toBe(3598);
    now += 3_600_000;
    expect(await left()).toBe(3599);
  });

  test("says when it will be whole again", async () => {
    await left();
    const { headers } = await project.call("GET", "/locations");
    expect(headers.get("ratelimit-limit")).toBe("3600");
    expect(headers.get("ratelimit-reset")).toBe(String(now / 1000 + 2));
  });

  test("refuses when nothing is left", () => {
    let at = 0;
    const limit = new RateLimit(() => at, 3);
    const taken = Array.from({ length: 5 }, () => limit.take());
    expect(taken.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false]);
    expect(taken[4]).toMatchObject({ limit: 3, remaining: 0, reset: 3600 });
    at += 1_200_000;
    expect([limit.take().allowed, limit.take().allowed]).toEqual([true, false]);
  });
});

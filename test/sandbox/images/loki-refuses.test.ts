import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { recorded } from "../../support/monitoring/recorded.ts";
import type { Bench } from "./container-harness.ts";
import { openBench } from "./container-harness.ts";
import { type LokiClient, lokiClient, lokiCommand, lokiLocked, lokiPin, startLoki } from "./loki-client.ts";

const config = recorded("loki.yaml");
let bench: Bench;
let loki: LokiClient;

beforeAll(async () => {
  bench = await openBench([lokiPin]);
  const container = await startLoki(bench, ["--tmpfs", "/loki:uid=10001"]);
  loki = lokiClient(`http://${await bench.address(container)}:3100`);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

describe("refuses", () => {
  test("old lines, lines from the future, long lines and lines without a label, and keeps the rest", async () => {
    const day = 86_400_000;
    const some = await loki.push({ container: "r" }, [Date.now() - 8 * day, "old"], [Date.now(), "kept"]);
    expect(some).toMatchObject({ status: 400, text: expect.stringContaining("has timestamp too old") as unknown });
    expect(await loki.push({ container: "r" }, [Date.now() + day, "new"])).toMatchObject({ status: 400 });
    expect(await loki.push({ container: "r" }, [Date.now(), "x".repeat(300_000)])).toMatchObject({ status: 400 });
    expect(await loki.push({}, [Date.now(), "x"])).toMatchObject({ status: 400 });
    const { data } = await loki.range('{container="r"}');
    expect(data).toMatchObject({ result: [{ values: [[expect.any(String), "kept"]] }] });
    const { text } = await loki.ask("/metrics");
    const reasons = [...text.matchAll(/^loki_discarded_samples_total\{reason="(\w+)"/gm)].map(([, reason]) => reason);
    expect(reasons).toEqual(["greater_than_max_sample_age", "line_too_long", "missing_labels", "too_far_in_future"]);
  });

  test.each([
    ["{}", /does not have an empty-compatible value/],
    ['{container=~".*"}', /does not have an empty-compatible value/],
    ['{container="a"', /parse error at line 1, col \d+: unexpected ""/],
    ['{container="a"} | json', /this fake of Loki does not do what follows/],
    ['avg_over_time({container="a"}[5m])', /this fake of Loki has no avg_over_time/],
    ['count_over_time({container="a"}[5 minutes])', /parse error/],
    ['{container=~"("}', /missing closing \)/],
  ])("%s", async (expr, message) => {
    expect(await loki.range(expr)).toMatchObject({ status: 400, text: expect.stringMatching(message) as unknown });
  });

  test("a plain selection at a single time", async () => {
    expect(await loki.query('{container="n8n"}')).toMatchObject({
      status: 400,
      text: expect.stringContaining("not supported as an instant query") as unknown,
    });
  });

  test("what it does not do", async () => {
    expect(await loki.ask("/loki/api/v1/index/stats")).toMatchObject({
      status: 404,
      text: "GET /loki/api/v1/index/stats: the sandbox's fake of Loki does not do this\n",
    });
  });
});

describe("ends with", () => {
  test.each([
    ["a key it does not know", "auth_enabled: false", "auth_enabled: false\nquery_limits: {}", "query_limits"],
    ["a ring elsewhere (P16)", "store: inmemory", "store: memberlist", "empty ring"],
    [
      "retention without a store",
      "  delete_request_store: filesystem\n",
      "",
      "delete-request-store should be configured",
    ],
    ["a directory it cannot write to", "dir: /loki/wal", "dir: /wal", "read-only file system"],
    ["tenants", "auth_enabled: false", "auth_enabled: true", "has no tenants"],
  ])("%s", async (_, from, to, message) => {
    expect(config).toContain(from);
    const path = await bench.file("bad.yaml", config.replace(from, to), 10001);
    const options = [...lokiLocked, "--tmpfs", "/loki:uid=10001", "-v", `${path}:/etc/vpai/loki.yaml:ro`];
    const { code, output } = await bench.once(lokiPin, options, lokiCommand);
    expect([code, output]).toEqual([1, expect.stringContaining(message)]);
  });

  test("a part of itself alone", async () => {
    const { code, output } = await bench.once(lokiPin, [], ["-target=read"]);
    expect([code, output]).toEqual([1, expect.stringContaining("-target=read")]);
  });
});

test("is not healthy when it is not there", async () => {
  const { code, output } = await bench.once(lokiPin, lokiLocked, ["-health"]);
  expect([code, output]).toEqual([1, expect.stringContaining("Health check failed")]);
});

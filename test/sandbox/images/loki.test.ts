import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../../shared/exec.ts";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench, untilExec } from "./container-harness.ts";
import { type LokiClient, lokiClient, lokiCommand, lokiLocked, lokiPin, startLoki } from "./loki-client.ts";

let bench: Bench;
let loki: LokiClient;
let container: string;
let mounts: readonly string[];

beforeAll(async () => {
  bench = await openBench([lokiPin]);
  // Named after the bench, so that it goes with it.
  mounts = ["-v", `${bench.home.replace(/^.*\//, "").replace(/-[^-]*$/, "")}-loki:/loki`];
  container = await startLoki(bench, mounts);
  loki = lokiClient(`http://${await bench.address(container)}:3100`);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

test("runs locked down with the rendered file, and says that it is a fake", async () => {
  expect(await bench.exec(container, "/usr/bin/loki", "-health")).toBe("Loki is healthy");
  expect(await logs(container)).toContain("Fake of Loki for the sandbox, version 3.7.8");
  expect(await loki.ask("/ready")).toMatchObject({ status: 200, text: "ready\n" });
  // P16: nobody can ask it with a shell or wget, so no health check may try.
  await expect(bench.exec(container, "sh", "-c", "true")).rejects.toThrow();
});

describe("lines", () => {
  const now = Date.now();

  beforeAll(async () => {
    await loki.push(
      { container: "n8n", service: "n8n" },
      [now - 3000, "started"],
      [now - 2000, 'an ERROR "here"\nand there'],
    );
    await loki.push({ container: "caddy", service: "caddy" }, [now - 1000, "error: no"], [now - 500, "fine"]);
  });

  test.each([
    ['{container="n8n"}', ['an ERROR "here"\nand there', "started"]],
    ['{container="n8n"} |= "ERROR"', ['an ERROR "here"\nand there']],
    ['{service=~"n8n|caddy", container!="n8n"}', ["fine", "error: no"]],
    ['{container=~".+"} |~ "(?i)error" !~ `no$`', ['an ERROR "here"\nand there']],
    ['{container=~".+"} != "error" != "ERROR"', ["started", "fine"]],
    ['{container="redis"}', []],
  ])("%s", async (expr, expected) => {
    const { data } = await loki.range(expr);
    const { resultType, result } = data as { resultType: string; result: { values: [string, string][] }[] };
    expect(resultType).toBe("streams");
    expect(result.flatMap(({ values }) => values.map(([, line]) => line)).toSorted()).toEqual(expected.toSorted());
  });

  test("come newest first, as many as asked for, with their labels and nanoseconds", async () => {
    const { data } = await loki.range('{container=~".+"}', { limit: "2" });
    expect(data).toMatchObject({
      result: [
        {
          stream: { container: "caddy", service: "caddy" },
          values: [
            [`${now - 500}000000`, "fine"],
            [`${now - 1000}000000`, "error: no"],
          ],
        },
      ],
    });
  });

  test("are counted over a time, apart or together", async () => {
    const values = async (expr: string) =>
      ((await loki.query(expr)).data as { result: { metric: object; value: [number, string] }[] }).result.map(
        ({ metric, value }) => [metric, value[1]],
      );
    expect(await values('sum by (container) (count_over_time({container=~".+"}[1h]))')).toEqual([
      [{ container: "caddy" }, "2"],
      [{ container: "n8n" }, "2"],
    ]);
    expect(await values('sum(count_over_time({container=~".+"} |~ "(?i)error"[1h]))')).toEqual([[{}, "2"]]);
    expect(await values('rate({container="n8n"}[10s])')).toEqual([[{ container: "n8n", service: "n8n" }, "0.2"]]);
    expect(await values('sum(count_over_time({container="redis"}[1h]))')).toEqual([]);
  });

  test("are counted at each step of a range", async () => {
    const [start, end] = [(now - 3000) / 1000, now / 1000];
    const { data } = await loki.range('count_over_time({container="n8n"}[2s])', {
      start: `${start}`,
      end: `${end}`,
      step: "1",
    });
    expect(data).toMatchObject({
      resultType: "matrix",
      result: [
        {
          values: [
            [start, "1"],
            [start + 1, "2"],
            [start + 2, "1"],
          ],
        },
      ],
    });
  });

  test("twice told are one, and are there after a restart", async () => {
    await loki.push({ container: "n8n", service: "n8n" }, [now - 3000, "started"]);
    await docker("rm", "-f", container);
    container = await startLoki(bench, mounts);
    loki = lokiClient(`http://${await bench.address(container)}:3100`);
    const { data } = await loki.query('sum(count_over_time({container="n8n"}[1h]))');
    expect(data).toMatchObject({ result: [{ value: [expect.any(Number), "2"] }] });
  });

  test("are told of by label", async () => {
    expect((await loki.ask("/loki/api/v1/labels")).data).toEqual(["container", "service"]);
    expect((await loki.ask("/loki/api/v1/label/container/values")).data).toEqual(["caddy", "n8n"]);
    expect((await loki.ask("/loki/api/v1/series", { "match[]": '{container="n8n"}' })).data).toEqual([
      { container: "n8n", service: "n8n" },
    ]);
  });
});

test("metrics have Loki's names", async () => {
  await loki.push({ container: "m" }, [Date.now(), "12345"]);
  const { text } = await loki.ask("/metrics");
  expect(text).toMatch(/^loki_build_info\{.*version="3\.7\.8"\} 1$/m);
  expect(text).toMatch(/^loki_distributor_lines_received_total\{tenant="fake"\} [1-9]\d*$/m);
  expect(text).toMatch(/^loki_ingester_memory_streams\{tenant="fake"\} 3$/m);
  expect(text).toMatch(
    /^loki_request_duration_seconds_count\{method="POST",route="loki_api_v1_push",status_code="204",ws="false"\} \d+$/m,
  );
  expect(text).toMatch(/^loki_compactor_apply_retention_last_successful_run_timestamp_seconds 1\.\d+e\+09$/m);
  expect(text).toMatch(/^process_resident_memory_bytes [1-9]/m);
});

test("what is too old is deleted, and the stream with it when nothing is left", async () => {
  const folder = join(bench.home, "old");
  const now = Math.floor(Date.now() / 3_600_000);
  for (const [id, hours] of [
    ["kept", [now - 14 * 24 - 2, now]],
    ["gone", [now - 14 * 24 - 2]],
  ] as const) {
    await mkdir(join(folder, "chunks", id), { recursive: true });
    await writeFile(join(folder, "chunks", id, "labels.json"), JSON.stringify({ container: id }));
    for (const hour of hours) await writeFile(join(folder, "chunks", id, `${hour}`), `${hour * 3600}000000001 "x"\n`);
  }
  await run("chown", ["-R", "10001:10001", folder]);
  const own = ["-v", `${folder}:/loki`, "-v", `${bench.home}/loki.yaml:/etc/vpai/loki.yaml:ro`];
  const old = await bench.start("old", lokiPin, [...lokiLocked, ...own], lokiCommand);
  await untilExec(old, "/usr/bin/loki", "-health");
  const chunks = () => readdir(join(folder, "chunks"), { recursive: true });
  const left = await until("deletion", 10_000, async () => {
    const names = await chunks();
    return names.some((name) => name.startsWith("gone")) ? undefined : names;
  });
  expect(left.toSorted()).toEqual(["kept", `kept/${now}`, "kept/labels.json"]);
});

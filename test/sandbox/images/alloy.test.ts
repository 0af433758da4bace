import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../../shared/exec.ts";
import { recorded } from "../../support/monitoring/recorded.ts";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench, untilExec } from "./container-harness.ts";
import { gateway, serve, serveDocker, type Served } from "./docker-api.ts";
import { type LokiClient, lokiClient, lokiPin, startLoki } from "./loki-client.ts";
import { type MetricsStore, metricsStore } from "../../support/metrics-store.ts";

const pin = `docker.io/grafana/alloy:v1.20.1@sha256:${"0".repeat(64)}`;
const storePin = `docker.io/victoriametrics/victoria-metrics:v1.152.0@sha256:${"0".repeat(64)}`;
const redis = `docker.io/library/redis:8.4.0-bookworm@sha256:${"0".repeat(64)}`;
const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--user", "473:473"];
const command = [
  "run",
  "--server.http.listen-addr=0.0.0.0:12345",
  "--storage.path=/var/lib/alloy/data",
  "--disable-reporting",
  "/etc/vpai/config.alloy",
];
const ready = [
  "bash",
  "-c",
  "exec 3<>/dev/tcp/127.0.0.1/12345 && printf 'GET /-/ready HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3",
];
const text = recorded("config.alloy");
const page = `# TYPE a_total counter
a_total{job="own",path="C:\\\\x \\"y\\"\\nz"} 3
gone 1
no_number NaN
old 5 ${Date.now() - 60_000}
`;

let bench: Bench;
let at: string;
let container: string;
let vm: string;
let loki: LokiClient;
let store: MetricsStore;
let body = page;
const served: Served[] = [];

/** A second instead of fifteen between two scrapes and two looks at Docker, and the fakes' ports. */
const quick = (): string =>
  text
    .replace("socket-proxy:2375", `socket-proxy:${served[0]?.port}`)
    .replace('"tcp://socket-proxy:2375"', `"tcp://socket-proxy:${served[0]?.port}"`)
    .replaceAll('"15s"', '"1s"')
    .replaceAll('"10s"', '"1s"')
    .replace("node-exporter:9100", `node-exporter:${served[1]?.port}`)
    .replace("qdrant:6333", `qdrant:${served[2]?.port}`);

async function start(): Promise<void> {
  await bench.file("config.alloy", quick(), 473);
  await bench.file("token", "secret-token\n", 473);
  const hosts = ["socket-proxy", "node-exporter", "qdrant"].flatMap((name) => ["--add-host", `${name}:${at}`]);
  const mounts = ["config.alloy:/etc/vpai/config.alloy:ro", "token:/etc/vpai/secrets/qdrant-read-key:ro"];
  container = await bench.start(
    "alloy",
    pin,
    [
      ...locked,
      ...hosts,
      "-v",
      `${bench.home}/alloy:/var/lib/alloy/data`,
      ...mounts.flatMap((mount) => ["-v", `${bench.home}/${mount}`]),
    ],
    command,
  );
  expect(await untilExec(container, ...ready)).toContain("200 OK");
}

beforeAll(async () => {
  bench = await openBench([pin, lokiPin, storePin, redis]);
  at = await gateway(bench);
  served.push(await serveDocker(bench, at));
  served.push(await serve(at, (_, res) => res.end(body)));
  served.push(await serve(at, (req, res) => res.writeHead(req.headers.authorization ? 200 : 401).end("up_too 1\n")));
  vm = await bench.start("victoriametrics", storePin, ["--tmpfs", "/storage"], ["-storageDataPath=/storage"]);
  await untilExec(vm, "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8428/health");
  store = metricsStore(`http://${await bench.address(vm)}:8428`);
  loki = lokiClient(`http://${await bench.address(await startLoki(bench, ["--tmpfs", "/loki:uid=10001"]))}:3100`);
  await mkdir(join(bench.home, "alloy"));
  await run("chown", ["473:473", join(bench.home, "alloy")]);
  await start();
}, 300_000);
afterAll(async () => {
  await Promise.all(served.map((each) => each.close()));
  await bench.clear();
});

const expectStored = (expr: string, holds: (value: number | undefined) => boolean) =>
  until(expr, 20_000, async () => {
    await store.flush();
    const samples = await store.ask(expr);
    return holds(samples[0]?.value) ? samples : undefined;
  });

/** Texts of the lines that Loki has, oldest first, once there are that many. */
const lines = (expr: string, count: number) =>
  until(`${count} lines of ${expr}`, 20_000, async () => {
    const { data } = await loki.range(expr, { direction: "forward", limit: "5000" });
    const { result } = data as { result: { stream: object; values: [string, string][] }[] };
    const all = result.flatMap(({ values }) => values.map(([, line]) => line));
    return all.length >= count ? { all, streams: result.map(({ stream }) => stream) } : undefined;
  });

test("runs locked down with the rendered file, and says that it is a fake", async () => {
  expect(await logs(container)).toContain("Fake of Alloy for the sandbox, version v1.20.1");
  expect(await bench.exec(container, "stat", "-c", "%u", "/proc/1")).toBe("473");
});

describe("metrics", () => {
  test("arrive in the store with the labels of their target, which win over their own", async () => {
    const [sample] = await expectStored('a_total{job="node-exporter"}', (value) => value === 3);
    expect(sample?.metric).toEqual({
      __name__: "a_total",
      job: "node-exporter",
      instance: `node-exporter:${served[1]?.port}`,
      exported_job: "own",
      path: 'C:\\x "y"\nz',
    });
  });

  test("come with what the scrape itself was like", async () => {
    await expectStored('up{job="node-exporter"}', (value) => value === 1);
    expect(await expectStored('scrape_samples_scraped{job="node-exporter"}', (value) => value === 4)).toHaveLength(1);
    expect(
      await expectStored('scrape_duration_seconds{job="node-exporter"}', (value) => (value ?? 0) > 0),
    ).toHaveLength(1);
  });

  test("keep the time that they are told with", async () => {
    await expectStored("timestamp(old) < time() - 50", (value) => value !== undefined);
  });

  test("behind a token are asked for with it", async () => {
    await expectStored('up_too{job="qdrant"}', (value) => value === 1);
    expect(served[2]?.asked).toContain("GET /metrics Bearer secret-token");
  });

  test("that are told no more end at once, and come back", async () => {
    body = "a_total 4\n";
    await expectStored("gone", (value) => value === undefined);
    body = page;
    await expectStored("gone", (value) => value === 1);
  });

  test.each([
    ["nonsense", 'a_total{job="x 1\n'],
    ["a failure", ""],
  ])("up is 0 for %s, and 1 again after it", async (_, wrong) => {
    const [fake] = [served[1]];
    if (wrong) body = wrong;
    else await fake?.close();
    await expectStored('up{job="node-exporter"}', (value) => value === 0);
    body = page;
    if (wrong) await expectStored('up{job="node-exporter"}', (value) => value === 1);
    expect(await logs(container)).toMatch(/job=node-exporter msg="scrape" err="[^<]/);
  });
});

describe("logs", () => {
  const say = (...said: readonly string[]) =>
    bench.start(`say-${said.length}`, redis, ["--label", "vpai.service=say"], ["sh", "-c", said.join("; ")]);

  test("of both streams arrive with the container's name and service, and none is cut", async () => {
    const long = "x".repeat(40_000);
    const script = `echo out; echo err >&2; head -c 40000 /dev/zero | tr '\\0' x; echo; exec sleep 600`;
    const full = await say(script);
    const { all, streams } = await lines(`{container="${full}"}`, 3);
    expect(all.toSorted()).toEqual(["err", "out", long]);
    expect(streams).toEqual([{ container: full, service: "say" }]);
  });

  test("of a container with a terminal arrive too", async () => {
    const full = await bench.start("tty", redis, ["-t"], ["sh", "-c", "echo hello; exec sleep 600"]);
    const { all, streams } = await lines(`{container="${full}"}`, 1);
    expect([all, streams]).toEqual([["hello"], [{ container: full }]]);
  });

  test("that were written while it was away arrive once it is back, and none twice", async () => {
    const full = await bench.start(
      "steady",
      redis,
      [],
      ["sh", "-c", "i=0; while sleep 0.1; do i=$((i+1)); echo $i; done"],
    );
    await lines(`{container="${full}"}`, 3);
    await docker("rm", "-f", container);
    const away = Number((await logs(full)).trim().split("\n").at(-1));
    await start();
    const { all } = await lines(`{container="${full}"}`, away + 5);
    expect(all).toEqual(all.map((_, index) => String(index + 1)));
  });
});

describe("while they are away", () => {
  const own = async () => (await fetch(`http://${await bench.address(container)}:12345/metrics`)).text();
  const untilOwn = (pattern: RegExp) =>
    until(String(pattern), 20_000, async () => (pattern.test(await own()) ? true : undefined));

  test("samples wait for the store", async () => {
    await docker("stop", "-t", "1", vm);
    await untilOwn(/^prometheus_remote_storage_samples_retried_total\{.*\} [1-9]/m);
    await docker("start", vm);
    store = metricsStore(`http://${await bench.address(vm)}:8428`);
    await expectStored('count_over_time(up{job="qdrant"}[1m])', (value) => (value ?? 0) > 2);
    expect(await own()).toMatch(/^prometheus_remote_storage_samples_failed_total\{.*\} 0$/m);
  });

  test("lines wait for Loki", async () => {
    const its = container.replace(/alloy$/, "loki");
    await docker("stop", "-t", "1", its);
    const late = await bench.start("late", redis, [], ["sh", "-c", "echo late; exec sleep 600"]);
    await untilOwn(/^loki_write_batch_retries_total\{.*\} [1-9]/m);
    await docker("start", its);
    loki = lokiClient(`http://${await bench.address(its)}:3100`);
    expect((await lines(`{container="${late}"}`, 1)).all).toEqual(["late"]);
  });
});

test("its own metrics have Alloy's names", async () => {
  const own = await (await fetch(`http://${await bench.address(container)}:12345/metrics`)).text();
  expect(own).toMatch(/^alloy_build_info\{.*version="v1\.20\.1"\} 1$/m);
  expect(own).toContain(
    'alloy_component_controller_running_components{controller_id="",controller_path="/",health_type="healthy"} 7\n',
  );
  expect(own).toMatch(
    /^prometheus_remote_storage_samples_total\{component_id="prometheus\.remote_write\.metrics",.*\} [1-9]/m,
  );
  expect(own).toMatch(
    /^loki_source_docker_target_entries_total\{component_id="loki\.source\.docker\.containers",.*\} [1-9]/m,
  );
  expect(own).toMatch(/^loki_write_sent_entries_total\{.*host="loki:3100",tenant=""\} [1-9]/m);
  expect(own).toMatch(/^loki_write_dropped_entries_total\{.*reason="ingester_error",tenant=""\} 0$/m);
});

test("asks Docker nothing but what the proxy lets through", () => {
  for (const asked of served[0]?.asked ?? []) {
    expect(asked).toMatch(/^GET (\/_ping|\/v[\d.]+\/(networks|containers\/json|containers\/\w+\/(json|logs\?.*)))$/);
  }
});

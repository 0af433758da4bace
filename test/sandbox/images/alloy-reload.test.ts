import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { run } from "../../../shared/exec.ts";
import { metricsStore, type MetricsStore } from "../../support/metrics-store.ts";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench, untilExec } from "./container-harness.ts";
import { gateway, serve, type Served } from "./docker-api.ts";

// The fake of Alloy takes a new configuration while it runs.

const pin = `docker.io/grafana/alloy:v1.20.1@sha256:${"0".repeat(64)}`;
const storePin = `docker.io/victoriametrics/victoria-metrics:v1.152.0@sha256:${"0".repeat(64)}`;
const command = [
  "run",
  "--server.http.listen-addr=0.0.0.0:12345",
  "--storage.path=/var/lib/alloy/data",
  "/etc/vpai/config.alloy",
];
/** A request by what the image has: bash. */
const asking = (request: string): string[] => [
  "bash",
  "-c",
  `exec 3<>/dev/tcp/127.0.0.1/12345 && printf '${request} HTTP/1.0\\r\\n\\r\\n' >&3 && read -r line <&3 && echo "$line" && cat <&3 && [[ $line == *' 200 '* ]]`,
];
const reload = asking("POST /-/reload");

let bench: Bench;
let container: string;
let store: MetricsStore;
const served: Served[] = [];

const scrape = (name: string, port: number, host: string): string => `prometheus.scrape "${name}" {
  targets         = [{"__address__" = "${host}:${port}"}]
  job_name        = "${name}"
  scrape_interval = "1s"
  scrape_timeout  = "1s"
  forward_to      = [prometheus.remote_write.metrics.receiver]
}
`;
let jobs: Record<string, string>;
const configure = (...names: readonly string[]): Promise<string> => {
  const write = `prometheus.remote_write "metrics" { endpoint { url = "http://victoriametrics:8428/api/v1/write" } }\n`;
  return bench.file("config/config.alloy", write + names.map((name) => jobs[name] ?? name).join(""), 473);
};
const expectUp = (job: string, value: number | undefined): Promise<true> =>
  until(`up of ${job} is ${value}`, 20_000, async () => {
    await store.flush();
    return (await store.ask(`up{job="${job}"}`))[0]?.value === value ? true : undefined;
  });

beforeAll(async () => {
  bench = await openBench([pin, storePin]);
  const host = await gateway(bench);
  for (let i = 0; i < 2; i += 1) served.push(await serve(host, (_, res) => res.end("a_total 1\n")));
  const [first, second] = served;
  jobs = { first: scrape("first", first?.port ?? 0, host), second: scrape("second", second?.port ?? 0, host) };
  const vm = await bench.start("victoriametrics", storePin, ["--tmpfs", "/storage"], ["-storageDataPath=/storage"]);
  await untilExec(vm, "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8428/health");
  store = metricsStore(`http://${await bench.address(vm)}:8428`);
  await mkdir(join(bench.home, "config"));
  await configure("first");
  await run("chown", ["473:473", join(bench.home, "config")]);
  const mounts = ["-v", `${bench.home}/config:/etc/vpai:ro`, "--tmpfs", "/var/lib/alloy/data:uid=473"];
  container = await bench.start("alloy", pin, ["--read-only", "--user", "473:473", ...mounts], command);
  await untilExec(container, ...asking("GET /-/ready"));
}, 300_000);
afterAll(async () => {
  await Promise.all(served.map((each) => each.close()));
  await bench.clear();
});

test("a new target is scraped, one that is gone ends at once, and what stays is not begun anew", async () => {
  await expectUp("first", 1);
  await configure("first", "second");
  expect(await bench.exec(container, ...reload)).toMatch(/^HTTP\/1\.\d 200 OK\r?\n[^]*config reloaded$/);
  await expectUp("second", 1);
  await configure("second");
  await bench.exec(container, ...reload);
  await expectUp("first", undefined);
  await expectUp("second", 1);
  // Each scrape that begins counts all its series as added: the one that stayed did so once.
  expect(await store.ask('sum_over_time(scrape_series_added{job="second"}[5m])')).toMatchObject([{ value: 1 }]);
  expect(await docker("inspect", "-f", "{{.RestartCount}}", container)).toBe("0");
});

test("a wrong file is refused with its reason, by the running one and before it, and nothing changes", async () => {
  await configure("second", "nonsense {}\n");
  await expect(bench.exec(container, ...reload)).rejects.toThrow(
    /exit 1\n[^]*400 Bad Request[^]*no component "nonsense"/,
  );
  expect(await logs(container)).toContain('this fake of Alloy has no component \\"nonsense\\"');
  const check = (): Promise<{ code: number; output: string }> =>
    bench.once(pin, ["-v", `${bench.home}/config:/etc/vpai:ro`], ["validate", "/etc/vpai/config.alloy"]);
  expect(await check()).toMatchObject({ code: 1, output: expect.stringContaining('no component "nonsense"') });
  await configure("first");
  expect(await check()).toMatchObject({ code: 0 });
  await expectUp("second", 1);
});

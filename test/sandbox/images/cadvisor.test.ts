import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench, pins, untilExec } from "./container-harness.ts";

const pin = `ghcr.io/google/cadvisor:v0.60.6@sha256:${"0".repeat(64)}`;
const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--user", "0:0", "--init"];
const host = ["-v", "/:/rootfs:ro", "-v", "/sys:/sys:ro", "-v", "/var/lib/docker:/var/lib/docker:ro"];
const socket = ["-v", "/var/run/docker.sock:/var/run/docker.sock:ro"];
const flags = [
  "--docker_only=true",
  "--store_container_labels=false",
  "--whitelisted_container_labels=vpai.service,other",
  "--enable_metrics=cpu,memory,network,diskIO",
  "--housekeeping_interval=1s",
  "--allow_dynamic_housekeeping=false",
  "--storage_duration=1m",
];
let bench: Bench;
let watched: string;
let cadvisor: string;

beforeAll(async () => {
  bench = await openBench([pin, pins.redis]);
  const labels = ["--label", "vpai.service=redis", "--label", "more=no"];
  const limits = ["--memory", "64m", "--memory-swap", "64m", "--cpus", "0.5", "--health-cmd", "test ! -e /tmp/sick"];
  watched = await bench.start("redis", pins.redis, [
    ...labels,
    ...limits,
    "--health-interval",
    "1s",
    "--health-retries",
    "1",
  ]);
  cadvisor = await start("cadvisor", [...host, ...socket, "--cgroupns", "host"]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

async function start(name: string, options: readonly string[]): Promise<string> {
  const container = await bench.start(name, pin, [...locked, ...options], flags);
  await untilExec(container, "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz");
  return container;
}

const metrics = (container: string) =>
  bench.exec(container, "wget", "-q", "-O", "-", "http://127.0.0.1:8080/metrics").then((text) => text.split("\n"));

/** Values of the watched container's series, by their other labels. */
async function told(metric: string): Promise<Readonly<Record<string, number>>> {
  // Some have the sample's time behind the value.
  const line = new RegExp(String.raw`^${metric}\{(.*)\} (\S+)( \d+)?$`);
  return Object.fromEntries(
    (await metrics(cadvisor)).flatMap((each) => {
      const [, labels = "", value = ""] = line.exec(each) ?? [];
      if (!labels.includes(`name="${watched}"`)) return [];
      const others = labels.split(",").filter((label) => !/^(id|image|name|container_label_\w+)=/.test(label));
      return [[others.join(","), Number(value)]];
    }),
  );
}

describe("cAdvisor", () => {
  test("runs without any right of root", async () => {
    expect(await bench.exec(cadvisor, "grep", "CapEff", "/proc/1/status")).toMatch(/0{16}$/);
  });

  test("reports a container under its name, image, control group and the labels asked for", async () => {
    const id = await docker("inspect", "-f", "{{.Id}}", watched);
    const image = await docker("inspect", "-f", "{{.Config.Image}}", watched);
    const seen = (await metrics(cadvisor)).filter((line) => line.startsWith("container_last_seen{"));
    const line = seen.find((each) => each.includes(id)) ?? "";
    expect(line).toMatch(new RegExp(`[{,]id="(/docker/|/system.slice/docker-)${id}(.scope)?"`));
    for (const label of [`image="${image}"`, `name="${watched}"`, 'container_label_vpai_service="redis"'])
      expect(line).toContain(label);
    expect(line).not.toContain("more");
    expect(seen.filter((each) => each.includes('id="/"'))).toHaveLength(1);
  });

  test("reports what it uses and what it may use", async () => {
    const mib = 2 ** 20;
    expect(await told("container_spec_memory_limit_bytes")).toEqual({ "": 64 * mib });
    expect(await told("container_spec_cpu_quota")).toEqual({ "": 50_000 });
    const { "": used = 0 } = await told("container_memory_working_set_bytes");
    expect(used > mib && used < 64 * mib).toBe(true);
    expect((await told("container_cpu_usage_seconds_total"))['cpu="total"']).toBeGreaterThan(0);
    expect(Object.keys(await told("container_cpu_cfs_throttled_seconds_total"))).toEqual([""]);
  });

  test("reports traffic as the container's own network has it", async () => {
    const before = (await told("container_network_receive_bytes_total"))['interface="eth0"'] ?? NaN;
    const address = await bench.address(watched);
    await bench.exec(cadvisor, "sh", "-c", `head -c 100000 /dev/zero | nc -w 2 ${address} 6379 >/dev/null || true`);
    const after = await until("more traffic", 15_000, async () => {
      const now = (await told("container_network_receive_bytes_total"))['interface="eth0"'] ?? NaN;
      return now > before + 50_000 ? now : undefined;
    });
    expect(after).toBeGreaterThan(before);
  });

  test("P31: another start is another start time, of the same container", async () => {
    const [created, begun] = [
      await told("container_creation_time_seconds"),
      await told("container_start_time_seconds"),
    ];
    await docker("restart", "-t", "1", watched);
    const again = await until("another start", 15_000, async () => {
      const now = await told("container_start_time_seconds");
      return (now[""] ?? 0) > (begun[""] ?? Infinity) ? now : undefined;
    });
    expect(again).not.toEqual(begun);
    expect(await told("container_creation_time_seconds")).toEqual(created);
  });

  test("reports the health check's result: 1, 0, or -1 for none", async () => {
    const health = (value: number) =>
      until(`health ${value}`, 15_000, async () =>
        (await told("container_health_state"))[""] === value ? value : undefined,
      );
    expect(await health(1)).toBe(1);
    await bench.exec(watched, "touch", "/tmp/sick");
    expect(await health(0)).toBe(0);
    const own = (await metrics(cadvisor)).find((line) => /^container_health_state\{.*-cadvisor"/.test(line));
    expect(own).toMatch(/ -1 \d+$/);
  });

  test("forgets a container that was removed", async () => {
    const short = await bench.start("short", pins.redis);
    const seen = async () => (await metrics(cadvisor)).some((line) => line.includes(`name="${short}"`));
    expect(await until("its metrics", 15_000, async () => (await seen()) || undefined)).toBe(true);
    await docker("rm", "-f", short);
    expect(await until("no metrics", 15_000, async () => !(await seen()) || undefined)).toBe(true);
  });

  test("has the metrics of the machine", async () => {
    const names = (await metrics(cadvisor)).map((line) => line.split(/[{ ]/)[0]);
    expect(names).toEqual(
      expect.arrayContaining(["machine_cpu_cores", "machine_memory_bytes", "cadvisor_version_info"]),
    );
  });

  test("P32: without Docker's socket it lists no container", async () => {
    const blind = await start("blind", [...host, "--cgroupns", "host"]);
    const seen = (await metrics(blind)).filter((line) => line.startsWith("container_last_seen"));
    expect(seen.map((line) => / ?id="([^"]*)"/.exec(line)?.[1])).toEqual(["/"]);
    expect(await logs(blind)).toContain("Registration of the docker container factory failed");
  });

  test.each([
    ["a flag that it does not have", [...flags, "--docker_olny=true"], 2, "-docker_olny"],
    ["a kind of metrics that does not exist", ["--enable_metrics=cpu,discs"], 2, 'unsupported metric "discs"'],
    ["a word that is no flag", [...flags, "stray"], 1, "unexpected arguments: stray"],
  ])("refuses %s", async (_what, argv, exitCode, words) => {
    const { code, output } = await bench.once(pin, [], argv);
    expect([code, output]).toEqual([exitCode, expect.stringContaining(words)]);
  });
});

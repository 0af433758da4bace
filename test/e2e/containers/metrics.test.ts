import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ServiceContext } from "../../../components/service/model/context.ts";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import type { DashboardSpec } from "../../../components/service/model/monitoring.ts";
import { collectRequirements } from "../../../components/service/plan/requirements.ts";
import { cadvisor } from "../../../components/services/cadvisor/service.ts";
import { nodeExporter } from "../../../components/services/node-exporter/service.ts";
import { postgresExporter } from "../../../components/services/postgres-exporter/service.ts";
import { redisExporter } from "../../../components/services/redis-exporter/service.ts";
import { redis } from "../../../components/services/redis/service.ts";
import { victoriametrics } from "../../../components/services/victoriametrics/service.ts";
import { type MetricsStore, metricsStore } from "../../support/metrics-store.ts";
import { testContext } from "../../support/context.ts";
import { until } from "../../support/until.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { docker, logs, openBench, pins, untilExec } from "../../sandbox/images/container-harness.ts";
import { startAsDefined, untilHealthy } from "./docker-run-args.ts";

const secrets = {
  "postgres-exporter-database": "pg-secret",
  "redis-exporter-cache": "redis-secret",
  "redis-inspect": "inspect-secret",
};
const exporters = [nodeExporter, postgresExporter, redisExporter, cadvisor];
const all = [victoriametrics, ...exporters];
const context: ServiceContext = testContext({ requirements: collectRequirements([redis, ...all], {}) });
const containers = new Map<string, string>();
let bench: Bench;
let store: MetricsStore;

const containerOf = ({ name }: ServiceDefinition): string => containers.get(name) ?? name;

beforeAll(async () => {
  bench = await openBench([pins.postgres, redis.image.pin, ...all.map(({ image }) => image.pin)]);
  const db = await bench.start("postgresql", pins.postgres, ["-e", "POSTGRES_PASSWORD=x"]);
  containers.set("postgresql", db);
  await untilExec(db, "pg_isready", "-h", "127.0.0.1");
  for (const line of [
    `create role postgres_exporter login password '${secrets["postgres-exporter-database"]}' in role pg_monitor`,
    "create database postgres_exporter owner postgres_exporter",
    "create database app",
  ])
    await bench.exec(db, "psql", "-U", "postgres", "-c", line);
  for (const definition of [redis, ...all])
    containers.set(definition.name, await startAsDefined(bench, definition, { context, secrets }));
  store = metricsStore(`http://${await bench.address(containerOf(victoriametrics))}:8428`);
  // Four scrapes within five minutes, as far as the store knows: rates need more than one.
  for (const minutes of [4, 3, 2, 1, 0]) await scrape(Date.now() - minutes * 60_000);
  await store.flush();
}, 300_000);
afterAll(() => bench.clear(), 120_000);

async function scrape(milliseconds: number): Promise<void> {
  for (const definition of all) {
    const { port, metrics, name } = definition;
    const path = "reason" in metrics ? "" : (metrics.path ?? "/metrics");
    const answer = await fetch(`http://${await bench.address(containerOf(definition))}:${port}${path}`);
    // cAdvisor's samples carry their own time, which would make one sample of the five.
    const lines = (await answer.text()).replace(/ \d{13}$/gm, "");
    await store.add(lines, { job: name, instance: `${name}:${port}` }, milliseconds);
    await store.add("up 1\n", { job: name, instance: `${name}:${port}` }, milliseconds);
  }
}

test.each(all)("$name runs locked down as its service says, and passes its own checks", async (definition) => {
  const container = containerOf(definition);
  const { uid, gid } = definition.user;
  expect(await bench.exec(container, "stat", "-c", "%u:%g", "/proc/1")).toBe(`${uid}:${gid}`);
  const checks = definition.smoke.flatMap((check) => ("exec" in check ? [check] : []));
  expect(checks).not.toEqual([]);
  for (const { exec, prints } of checks) expect(await bench.exec(container, ...exec)).toMatch(prints);
  // A machine without udev has no such directory; node-exporter then tells disks without their properties. One that is
  // no server of a stack has none for the metrics of its own programs either.
  const said = (await logs(container)).replaceAll(/^.*(disabling udev|textfile collector directory).*$/gm, "");
  expect(said).not.toMatch(/level=(ERROR|error|fatal)|panic|pg-secret|redis-secret|inspect-secret/);
});

const panels = exporters.flatMap(({ dashboards }) =>
  dashboards.flatMap((dashboard: DashboardSpec) =>
    dashboard.panels.flatMap(({ title, queries, mayBeEmpty }) =>
      queries.map(({ expr, legend }): [string, string, string, boolean] => [
        `${dashboard.title} / ${title}`,
        legend ?? "",
        expr,
        mayBeEmpty !== undefined,
      ]),
    ),
  ),
);

describe("dashboards", () => {
  test.each(panels)("%s %s", async (_title, legend, expr, mayBeEmpty) => {
    const found = await store.ask(expr);
    if (!mayBeEmpty) expect(found).not.toEqual([]);
    const wanted = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? "");
    for (const { metric } of found) expect(Object.keys(metric)).toEqual(expect.arrayContaining(wanted));
  });

  test("the disks are those of the server", async () => {
    const root = await store.ask('node_filesystem_size_bytes{mountpoint="/"}');
    expect(root.map(({ metric }) => metric["mountpoint"])).toEqual(["/"]);
    expect(await store.ask('node_filesystem_size_bytes{mountpoint=~"/(etc|proc|var/lib/docker)/.*"}')).toEqual([]);
  });

  test("P31: the containers of this stack have names", async () => {
    const seen = await store.ask('max by (name) (container_last_seen{container_label_vpai_service!=""})');
    const names = seen.map(({ metric }) => metric["name"]);
    expect(names).toEqual(expect.arrayContaining([redis, ...all].map(containerOf)));
    expect(names).not.toContain(containers.get("postgresql"));
  });
});

describe("the databases behind", () => {
  test("redis-exporter's account may ask what it asks, and nothing else", async () => {
    const container = containerOf(redis);
    const cli = (...command: readonly string[]) =>
      bench.exec(container, "env", "REDISCLI_AUTH=redis-secret", "redis-cli", "--user", "redis-exporter", ...command);
    expect(await cli("info", "memory")).toContain("used_memory:");
    for (const command of [["get", "x"], ["config", "get", "*"], ["client", "list"], ["acl", "list"], ["flushall"]])
      expect(await cli(...command)).toMatch(/^NOPERM/);
    expect(await store.ask("max_over_time(redis_acl_access_denied_cmd_total[5m])")).toMatchObject([{ value: 0 }]);
  });

  test("one that is gone is told as down, by an exporter that stays healthy", async () => {
    await docker("stop", "-t", "0", containers.get("postgresql") ?? "", containerOf(redis));
    const told = (definition: ServiceDefinition, line: string) =>
      until(`${definition.name} tells ${line}`, 30_000, async () => {
        const path = `http://127.0.0.1:${definition.port}/metrics`;
        const text = await bench.exec(containerOf(definition), "wget", "-q", "-O", "-", path);
        return text.split("\n").includes(line) ? true : undefined;
      });
    expect(await Promise.all([told(postgresExporter, "pg_up 0"), told(redisExporter, "redis_up 0")])).toEqual([
      true,
      true,
    ]);
    for (const definition of [postgresExporter, redisExporter]) await untilHealthy(containerOf(definition), definition);
  });
});

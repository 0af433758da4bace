import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { cadvisor } from "../../../components/services/cadvisor/service.ts";
import { nodeExporter } from "../../../components/services/node-exporter/service.ts";
import { postgresExporter } from "../../../components/services/postgres-exporter/service.ts";
import { redisExporter } from "../../../components/services/redis-exporter/service.ts";
import { victoriametrics } from "../../../components/services/victoriametrics/service.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { openBench } from "../../sandbox/images/container-harness.ts";
import { testContext } from "../../support/context.ts";
import { type MetricsStore, metricsStore } from "../../support/metrics-store.ts";
import { startAsDefined } from "./docker-run-args.ts";

// Each alert is asked of a real store, over six hours in which all was well and over six in which it was not.

const services = [victoriametrics, nodeExporter, postgresExporter, redisExporter, cadvisor];
const alerts = services.flatMap((service) => service.alerts);

/** A value by how many minutes ago it was; undefined where nothing was scraped. */
type Story = (ago: number) => number | undefined;
/** Values by series. */
type Told = Readonly<Record<string, Story>>;

const always =
  (value: number): Story =>
  () =>
    value;
/** A counter that rises by that much a minute. */
const rising =
  (aMinute: number): Story =>
  (ago) =>
    1000 + (400 - ago) * aMinute;
/** A counter that rose by one, ten minutes ago. */
const once: Story = (ago) => (ago > 10 ? 0 : 1);

const GIB = 2 ** 30;
const container = (metric: string): string =>
  `container_${metric}{name="n8n",id="/docker/1",container_label_vpai_service="n8n"}`;
const disk = 'mountpoint="/",device="/dev/vda"';
const size = { [`node_filesystem_size_bytes{${disk}}`]: always(100 * GIB) };
const avail = (story: Story): Told => ({ ...size, [`node_filesystem_avail_bytes{${disk}}`]: story });
const memory = (available: number): Told => ({
  node_memory_MemAvailable_bytes: always(available * GIB),
  node_memory_MemTotal_bytes: always(8 * GIB),
});
const idle = (seconds: number): Told => ({
  'node_cpu_seconds_total{cpu="0",mode="idle"}': rising(seconds),
  'node_cpu_seconds_total{cpu="1",mode="idle"}': rising(seconds),
  'node_cpu_seconds_total{cpu="1",mode="user"}': rising(60 - seconds),
});
const connections = (used: number): Told => ({
  'pg_stat_activity_count{datname="n8n",state="idle"}': always(used),
  pg_settings_max_connections: always(100),
});
const working = (bytes: number): Told => ({
  [container("memory_working_set_bytes")]: always(bytes),
  [container("spec_memory_limit_bytes")]: always(100),
});
const faults = (aMinute: number): Told => ({
  [container("memory_failures_total").replace("}", ',failure_type="pgmajfault",scope="container"}')]: rising(aMinute),
});
const transaction = (state: string): Told => ({
  [`pg_stat_activity_max_tx_duration{datname="n8n",state="${state}"}`]: always(4000),
});
const started = (every: number): Told => ({ [container("start_time_seconds")]: (ago) => -Math.floor(ago / every) });
const seenUntil = (until: number): Told => ({ [container("last_seen")]: lastSeen(until) });
const lastSeen =
  (until: number): Story =>
  (ago) =>
    ago < until ? undefined : Date.now() / 1000 - ago * 60;

/** By alert: all is well in each of the first, and something is wrong in each of the second. */
const stories: Readonly<Record<string, { well: readonly Told[]; ill: readonly Told[] }>> = {
  MetricsStoreReadOnly: {
    well: [{ vm_storage_is_read_only: always(0) }],
    ill: [{ vm_storage_is_read_only: always(1) }],
  },
  MetricsIgnored: {
    well: [{ 'vm_rows_ignored_total{reason="big_timestamp"}': always(4) }],
    ill: [{ 'vm_rows_ignored_total{reason="big_timestamp"}': rising(1) }],
  },
  MetricsTooMany: {
    well: [{ 'vm_cache_entries{type="storage/hour_metric_ids"}': always(4000) }],
    ill: [{ 'vm_cache_entries{type="storage/hour_metric_ids"}': always(90000) }],
  },
  CpuHigh: { well: [idle(30)], ill: [idle(6)] },
  MemoryHigh: { well: [memory(2)], ill: [memory(1)] },
  DiskFull: { well: [avail(always(20 * GIB))], ill: [avail(always(9 * GIB))] },
  DiskFilling: {
    // Half full and filling is not urgent, nor is fuller and at rest.
    well: [avail((ago) => (50 + ago / 20) * GIB), avail(always(30 * GIB))],
    ill: [avail((ago) => (20 + ago / 20) * GIB)],
  },
  InodesUsedUp: {
    well: [
      { [`node_filesystem_files{${disk}}`]: always(1000), [`node_filesystem_files_free{${disk}}`]: always(900) },
      // A file system that counts none.
      { [`node_filesystem_files{${disk}}`]: always(0), [`node_filesystem_files_free{${disk}}`]: always(0) },
    ],
    ill: [{ [`node_filesystem_files{${disk}}`]: always(1000), [`node_filesystem_files_free{${disk}}`]: always(50) }],
  },
  BackupOverdue: {
    well: [{ 'vpai_backup_last_success_timestamp_seconds{item="n8n/database"}': always(Date.now() / 1000 - 3600) }],
    ill: [{ 'vpai_backup_last_success_timestamp_seconds{item="n8n/database"}': always(Date.now() / 1000 - 200_000) }],
  },
  BackupFailed: {
    well: [{ 'vpai_backup_failed{item="n8n/database"}': always(0) }],
    ill: [{ 'vpai_backup_failed{item="n8n/database"}': always(1) }],
  },
  KilledForMemory: { well: [{ node_vmstat_oom_kill: always(3) }], ill: [{ node_vmstat_oom_kill: once }] },
  PostgresqlDown: { well: [{ pg_up: always(1) }], ill: [{ pg_up: always(0) }] },
  PostgresqlConnections: { well: [connections(60)], ill: [connections(85)] },
  PostgresqlDeadlocks: {
    well: [{ 'pg_stat_database_deadlocks{datname="n8n"}': always(3) }],
    ill: [{ 'pg_stat_database_deadlocks{datname="n8n"}': once }],
  },
  PostgresqlLongTransaction: {
    well: [transaction("idle")],
    ill: [transaction("active"), transaction("idle in transaction"), transaction("idle in transaction (aborted)")],
  },
  PostgresqlStatisticsMissing: {
    well: [{ 'pg_scrape_collector_success{collector="locks"}': always(1) }],
    ill: [{ 'pg_scrape_collector_success{collector="locks"}': always(0) }],
  },
  RedisDown: { well: [{ redis_up: always(1) }], ill: [{ redis_up: always(0) }] },
  RedisConnectionsRefused: {
    well: [{ redis_rejected_connections_total: always(9) }],
    ill: [{ redis_rejected_connections_total: once }],
  },
  RedisPasswordRefused: {
    well: [{ redis_acl_access_denied_auth_total: always(9) }],
    ill: [{ redis_acl_access_denied_auth_total: once }],
  },
  // P32: without names, the containers' series are there and tell nothing.
  ContainersUnseen: { well: [seenUntil(0)], ill: [{ 'container_last_seen{id="/"}': lastSeen(0) }] },
  // P31: a counter of restarts there is not.
  ContainerRestarting: { well: [started(10), started(1000)], ill: [started(3)] },
  ContainerGone: { well: [seenUntil(0), seenUntil(2), seenUntil(45)], ill: [seenUntil(5), seenUntil(20)] },
  ContainerUnhealthy: {
    well: [{ [container("health_state")]: always(1) }, { [container("health_state")]: always(-1) }],
    ill: [{ [container("health_state")]: always(0) }],
  },
  ContainerMemory: { well: [working(80)], ill: [working(95)] },
  ContainerRereadsProgram: { well: [faults(600)], ill: [faults(6000)] },
};

let bench: Bench;
let store: MetricsStore;

beforeAll(async () => {
  bench = await openBench([victoriametrics.image.pin]);
  const container = await startAsDefined(bench, victoriametrics, { context: testContext() });
  store = metricsStore(`http://${await bench.address(container)}:8428`);
  const now = Date.now();
  for (const [alert, { well, ill }] of Object.entries(stories))
    for (const [state, tolds] of Object.entries({ well, ill }))
      for (const [index, told] of tolds.entries())
        await store.add(lines(told, now), { story: `${alert} ${state} ${index}` });
  await store.flush();
}, 300_000);
afterAll(() => bench.clear(), 120_000);

/** Six hours, a sample a minute. */
function lines(told: Told, now: number): string {
  return Object.entries(told)
    .flatMap(([series, story]) =>
      Array.from({ length: 361 }, (_, ago) => {
        const value = story(ago);
        return value === undefined ? "" : `${series} ${value} ${now - ago * 60_000}\n`;
      }),
    )
    .join("");
}

test("every alert has its stories", () => {
  expect(Object.keys(stories)).toEqual(alerts.map(({ name }) => name));
});

describe.each(alerts)("$name", ({ name, expr, summary }) => {
  const { well = [], ill = [] } = stories[name] ?? {};

  test("is silent while all is well", async () => {
    for (const index of well.keys())
      expect([index, await store.ask(expr, { story: `${name} well ${index}` })]).toEqual([index, []]);
  });

  test("answers when something is wrong, with what its summary names", async () => {
    const named = [...summary.matchAll(/\{\{ \$labels\.(\w+) \}\}/g)].map(([, label]) => label ?? "");
    for (const index of ill.keys()) {
      const found = await store.ask(expr, { story: `${name} ill ${index}` });
      expect([index, found.length]).toEqual([index, 1]);
      expect(Object.keys(found[0]?.metric ?? {})).toEqual(expect.arrayContaining(named));
    }
  });
});

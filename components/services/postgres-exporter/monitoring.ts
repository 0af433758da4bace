import { alert, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

/** Its own database is there because it has to log in to one. */
export const DATABASE = "postgres_exporter";

const APPS = `datname!~"template.*|postgres|${DATABASE}"`;

const USED = "100 * sum(pg_stat_activity_count) / max(pg_settings_max_connections)";

const HITS = `100 * sum(pg_stat_database_blks_hit) / (sum(pg_stat_database_blks_hit) + sum(pg_stat_database_blks_read))`;

const rate = (metric: string): string => `sum by (datname) (rate(pg_stat_database_${metric}{${APPS}}[5m]))`;

const POSTGRESQL: DashboardSpec = {
  uid: "vpai-postgresql",
  title: "PostgreSQL",
  panels: [
    stat("Answers", "pg_up"),
    stat("Connections in use", USED, { unit: "percent", thresholds: [60, 80] }),
    stat("Size of all databases", "sum(pg_database_size_bytes)", { unit: "bytes" }),
    stat("Reads from memory", HITS, { unit: "percent" }),
    timeseries("Connections by state", undefined, {
      expr: "sum by (state) (pg_stat_activity_count) > 0",
      legend: "{{state}}",
    }),
    timeseries("Connections by database", undefined, {
      expr: `sum by (datname) (pg_stat_database_numbackends{${APPS}})`,
      legend: "{{datname}}",
    }),
    timeseries("Transactions a second", "ops", [
      { expr: rate("xact_commit"), legend: "{{datname}} committed" },
      { expr: rate("xact_rollback"), legend: "{{datname}} rolled back" },
    ]),
    timeseries("Rows a second", "ops", [
      { expr: rate("tup_fetched"), legend: "{{datname}} read" },
      { expr: rate("tup_inserted"), legend: "{{datname}} inserted" },
      { expr: rate("tup_updated"), legend: "{{datname}} updated" },
      { expr: rate("tup_deleted"), legend: "{{datname}} deleted" },
    ]),
    timeseries("Size by database", "bytes", {
      expr: `sum by (datname) (pg_database_size_bytes{${APPS}})`,
      legend: "{{datname}}",
    }),
    timeseries("Longest transaction", "s", {
      expr: `max by (datname) (pg_stat_activity_max_tx_duration{${APPS}})`,
      legend: "{{datname}}",
    }),
    timeseries("Written to temporary files", "Bps", { expr: rate("temp_bytes"), legend: "{{datname}}" }),
    timeseries("Deadlocks in 15 minutes", undefined, {
      expr: `sum by (datname) (increase(pg_stat_database_deadlocks{${APPS}}[15m]))`,
      legend: "{{datname}}",
    }),
  ],
};

export const alerts: readonly AlertSpec[] = [
  alert(
    "critical",
    "PostgresqlDown",
    "pg_up == 0",
    2,
    "PostgreSQL is down or rejects the exporter's login. See the postgresql log.",
  ),
  alert(
    "warning",
    "PostgresqlConnections",
    `${USED} > 80`,
    5,
    "More than 80 % of PostgreSQL's connections are in use. The dashboard PostgreSQL shows by which database.",
  ),
  alert(
    "warning",
    "PostgresqlDeadlocks",
    "sum by (datname) (increase(pg_stat_database_deadlocks[15m])) > 0",
    0,
    "Transactions in {{ $labels.datname }} waited for each other, and one was ended. Look at the log of postgresql.",
  ),
  alert(
    "warning",
    "PostgresqlLongTransaction",
    'max by (datname) (pg_stat_activity_max_tx_duration{state=~"active|idle in transaction.*"}) > 3600',
    5,
    "A transaction in {{ $labels.datname }} has been open for an hour: nothing is cleaned up meanwhile.",
  ),
  alert(
    "warning",
    "PostgresqlStatisticsMissing",
    "pg_scrape_collector_success == 0",
    15,
    "postgres-exporter cannot read {{ $labels.collector }}: after an update it may not know this PostgreSQL.",
  ),
];

export const dashboards: readonly DashboardSpec[] = [POSTGRESQL];

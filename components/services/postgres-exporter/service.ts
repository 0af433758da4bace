import { images } from "../../images.ts";
import { canAsk, exporter } from "../../service/presets/exporter.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";
import type { ServiceDefinition } from "../../service/model/definition.ts";

const PORT = 9187;
const LIMIT_MB = 48;
/** Its own database is there because it has to log in to one. */
const DATABASE = "postgres_exporter";
const APPS = `datname!~"template.*|postgres|${DATABASE}"`;

const USED = "100 * sum(pg_stat_activity_count) / max(pg_settings_max_connections)";
const HITS = `100 * sum(pg_stat_database_blks_hit) / (sum(pg_stat_database_blks_hit) + sum(pg_stat_database_blks_read))`;

const rate = (metric: string): string => `sum by (datname) (rate(pg_stat_database_${metric}{${APPS}}[5m]))`;

const POSTGRESQL: DashboardSpec = {
  uid: "vpai-postgresql",
  title: "PostgreSQL",
  panels: [
    { title: "Answers", kind: "stat", datasource: "metrics", queries: [{ expr: "pg_up" }] },
    {
      title: "Connections in use",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: USED }],
      unit: "percent",
      thresholds: [60, 80],
    },
    {
      title: "Size of all databases",
      kind: "stat",
      datasource: "metrics",
      unit: "bytes",
      queries: [{ expr: "sum(pg_database_size_bytes)" }],
    },
    { title: "Reads from memory", kind: "stat", datasource: "metrics", queries: [{ expr: HITS }], unit: "percent" },
    {
      title: "Connections by state",
      kind: "timeseries",
      datasource: "metrics",
      queries: [{ expr: "sum by (state) (pg_stat_activity_count) > 0", legend: "{{state}}" }],
    },
    {
      title: "Connections by database",
      kind: "timeseries",
      datasource: "metrics",
      queries: [{ expr: `sum by (datname) (pg_stat_database_numbackends{${APPS}})`, legend: "{{datname}}" }],
    },
    {
      title: "Transactions a second",
      kind: "timeseries",
      datasource: "metrics",
      unit: "ops",
      queries: [
        { expr: rate("xact_commit"), legend: "{{datname}} committed" },
        { expr: rate("xact_rollback"), legend: "{{datname}} rolled back" },
      ],
    },
    {
      title: "Rows a second",
      kind: "timeseries",
      datasource: "metrics",
      unit: "ops",
      queries: [
        { expr: rate("tup_fetched"), legend: "{{datname}} read" },
        { expr: rate("tup_inserted"), legend: "{{datname}} inserted" },
        { expr: rate("tup_updated"), legend: "{{datname}} updated" },
        { expr: rate("tup_deleted"), legend: "{{datname}} deleted" },
      ],
    },
    {
      title: "Size by database",
      kind: "timeseries",
      datasource: "metrics",
      unit: "bytes",
      queries: [{ expr: `sum by (datname) (pg_database_size_bytes{${APPS}})`, legend: "{{datname}}" }],
    },
    {
      title: "Longest transaction",
      kind: "timeseries",
      datasource: "metrics",
      unit: "s",
      queries: [{ expr: `max by (datname) (pg_stat_activity_max_tx_duration{${APPS}})`, legend: "{{datname}}" }],
    },
    {
      title: "Written to temporary files",
      kind: "timeseries",
      datasource: "metrics",
      unit: "Bps",
      queries: [{ expr: rate("temp_bytes"), legend: "{{datname}}" }],
    },
    {
      title: "Deadlocks in 15 minutes",
      kind: "timeseries",
      datasource: "metrics",
      queries: [
        { expr: `sum by (datname) (increase(pg_stat_database_deadlocks{${APPS}}[15m]))`, legend: "{{datname}}" },
      ],
    },
  ],
};

/** What PostgreSQL tells of itself. Its role may look at every statistic and at no data. */
export const postgresExporter: ServiceDefinition = {
  name: "postgres-exporter",
  image: images["postgres-exporter"].pin,
  networks: ["backend", "monitoring"],
  ...exporter({
    port: PORT,
    requestMb: 24,
    limitMb: LIMIT_MB,
    environment: {
      // Inside the network `backend`, where PostgreSQL offers no TLS.
      DATA_SOURCE_URI: `postgresql:5432/${DATABASE}?sslmode=disable`,
      DATA_SOURCE_USER: DATABASE,
      DATA_SOURCE_PASS_FILE: "/etc/vpai/secrets/database",
    },
  }),
  user: { uid: 65534, gid: 65534 },
  command: [`--web.listen-address=:${PORT}`],
  configDir: "/etc/vpai",
  files: [
    {
      path: "secrets/database",
      secrets: ["postgres-exporter-database"],
      render: (secrets) => secrets["postgres-exporter-database"] ?? "",
    },
  ],
  database: { name: DATABASE, memberOf: ["pg_monitor"] },
  needs: ["postgresql"],
  alerts: [
    {
      name: "PostgresqlDown",
      expr: "pg_up == 0",
      forMinutes: 2,
      severity: "critical",
      summary: "PostgreSQL lets nobody in who asks for its statistics. Look at the log of postgresql.",
    },
    {
      name: "PostgresqlConnections",
      expr: `${USED} > 80`,
      forMinutes: 5,
      severity: "warning",
      summary:
        "More than 80 % of PostgreSQL's connections are taken. The dashboard PostgreSQL tells by which database.",
    },
    {
      name: "PostgresqlDeadlocks",
      expr: "sum by (datname) (increase(pg_stat_database_deadlocks[15m])) > 0",
      forMinutes: 0,
      severity: "warning",
      summary:
        "Transactions in {{ $labels.datname }} waited for each other, and one was ended. Look at the log of postgresql.",
    },
    {
      name: "PostgresqlLongTransaction",
      expr: 'max by (datname) (pg_stat_activity_max_tx_duration{state=~"active|idle in transaction.*"}) > 3600',
      forMinutes: 5,
      severity: "warning",
      summary: "A transaction in {{ $labels.datname }} has been open for an hour: nothing is cleaned up meanwhile.",
    },
    {
      name: "PostgresqlStatisticsMissing",
      expr: "pg_scrape_collector_success == 0",
      forMinutes: 15,
      severity: "warning",
      summary:
        "postgres-exporter cannot read {{ $labels.collector }}: after an update it may not know this PostgreSQL.",
    },
  ],
  dashboards: [POSTGRESQL],
  backup: { none: "it keeps nothing; its database is empty" },
  smoke: [canAsk("postgres-exporter", PORT, "PostgreSQL", "pg_up")],
  upgrade:
    "Release notes rename collectors' flags and metrics now and then (0.20 did): this file's dashboard and alerts use them. " +
    "A new major version of PostgreSQL needs an exporter that knows it.",
};

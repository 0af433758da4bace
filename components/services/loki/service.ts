import { images } from "../../images.ts";
import { renderLokiConfig } from "./config.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";
import type { ServiceDefinition } from "../../service/model/definition.ts";

/**
 * What Go may use. The program itself has 157 MB, which count as soon as they are read, and each health check is a second
 * process of it: they get the rest of the limit.
 */
const HEAP_MB = 160;

/** What products write when something went wrong, in whatever case. */
const ERRORS = '{container=~".+"} |~ "(?i)(error|fatal|panic|critical)"';
const GOOD = "no errors is what one hopes for";

const LOGS: DashboardSpec = {
  uid: "vpai-logs",
  title: "Logs",
  panels: [
    {
      title: "Lines in the last hour",
      kind: "stat",
      datasource: "logs",
      queries: [{ expr: 'sum(count_over_time({container=~".+"}[1h]))' }],
    },
    {
      title: "Errors in the last hour",
      kind: "stat",
      datasource: "logs",
      queries: [{ expr: `sum(count_over_time(${ERRORS}[1h]))` }],
      thresholds: [20, 200],
      mayBeEmpty: GOOD,
    },
    { title: "Streams", kind: "stat", datasource: "metrics", queries: [{ expr: "sum(loki_ingester_memory_streams)" }] },
    {
      title: "Memory",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: 'process_resident_memory_bytes{job="loki"}' }],
      unit: "bytes",
    },
    {
      title: "Lines by container",
      kind: "timeseries",
      datasource: "logs",
      queries: [{ expr: 'sum by (container) (count_over_time({container=~".+"}[5m]))', legend: "{{container}}" }],
    },
    {
      title: "Errors by container",
      kind: "timeseries",
      datasource: "logs",
      queries: [{ expr: `sum by (container) (count_over_time(${ERRORS}[5m]))`, legend: "{{container}}" }],
      mayBeEmpty: GOOD,
    },
    {
      title: "Taken in",
      kind: "timeseries",
      datasource: "metrics",
      queries: [{ expr: "sum(rate(loki_distributor_bytes_received_total[5m]))", legend: "bytes a second" }],
      unit: "Bps",
    },
    {
      title: "Refused by Loki",
      kind: "timeseries",
      datasource: "metrics",
      queries: [{ expr: "sum by (reason) (rate(loki_discarded_samples_total[5m]))", legend: "{{reason}}" }],
      mayBeEmpty: "Loki counts a reason only once it has happened",
    },
    { title: "Errors", kind: "logs", datasource: "logs", queries: [{ expr: ERRORS }], mayBeEmpty: GOOD },
    { title: "All lines", kind: "logs", datasource: "logs", queries: [{ expr: '{container=~".+"}' }] },
  ],
};

/** Where every container's log goes. */
export const loki: ServiceDefinition = {
  name: "loki",
  image: images.loki.pin,
  networks: ["monitoring"],
  port: 3100,
  user: { uid: 10001, gid: 10001 },
  command: ["-config.file=/etc/vpai/loki.yaml", "-target=all"],
  data: [{ path: "", target: "/loki" }],
  configDir: "/etc/vpai",
  files: [
    {
      path: "loki.yaml",
      text: ({ settings }) => renderLokiConfig({ logsDays: settings.retention.logsDays, heapMb: HEAP_MB }),
    },
  ],
  environment: () => ({ GOMEMLIMIT: `${HEAP_MB}MiB` }),
  health: {
    // The image holds this program alone, neither shell nor wget (P16). It asks its own /ready.
    test: ["CMD", "/usr/bin/loki", "-health"],
    intervalSeconds: 15,
    timeoutSeconds: 5,
    retries: 3,
    startPeriodSeconds: 60,
    deadlineSeconds: 150,
  },
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
  pids: 128,
  memory: { requestMb: 256, limitMb: { standard: 320, small: 288 } },
  cpus: 0.5,
  // It writes what is in memory to disk when it ends.
  stopGraceSeconds: 45,
  metrics: {},
  alerts: [
    {
      name: "LogsRefused",
      expr: "sum by (reason) (increase(loki_discarded_samples_total[15m])) > 0",
      forMinutes: 15,
      severity: "warning",
      summary: "Loki refuses log lines ({{ $labels.reason }}). Look at its limits and at the clock of the server.",
    },
    {
      name: "LokiFailing",
      expr: 'sum(rate(loki_request_duration_seconds_count{status_code=~"5.."}[5m])) / sum(rate(loki_request_duration_seconds_count[5m])) > 0.1',
      forMinutes: 10,
      severity: "critical",
      summary: "More than a tenth of the requests to Loki fail. Look at its log, its memory and the disk.",
    },
    {
      name: "LogRetentionStuck",
      // 0 until it ran for the first time.
      expr: "time() - (loki_compactor_apply_retention_last_successful_run_timestamp_seconds > 0) > 86400",
      forMinutes: 60,
      severity: "warning",
      summary: "Loki has deleted no old lines for a day: the disk fills. Look at what its compactor says.",
    },
  ],
  dashboards: [LOGS],
  backup: { none: "logs tell of the past and are deleted after some days anyway; new ones arrive at once" },
  smoke: [{ name: "Loki is ready", exec: ["/usr/bin/loki", "-health"], prints: /Loki is healthy/ }],
  upgrade:
    "Read the upgrade notes for settings that are gone: Loki refuses to start with one it does not know. A new schema " +
    "version is added below the present one in schema_config with a date in the future, never put in its place.",
};

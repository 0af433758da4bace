import { alert, defineService, logs, notApplicable, stat, timeseries } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { renderLokiConfig } from "./config.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";

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
    stat("Lines in the last hour", 'sum(count_over_time({container=~".+"}[1h]))', { datasource: "logs" }),
    stat("Errors in the last hour", `sum(count_over_time(${ERRORS}[1h]))`, {
      datasource: "logs",
      thresholds: [20, 200],
      mayBeEmpty: GOOD,
    }),
    stat("Streams", "sum(loki_ingester_memory_streams)"),
    stat("Memory", 'process_resident_memory_bytes{job="loki"}', { unit: "bytes" }),
    timeseries(
      "Lines by container",
      undefined,
      { expr: 'sum by (container) (count_over_time({container=~".+"}[5m]))', legend: "{{container}}" },
      { datasource: "logs" },
    ),
    timeseries(
      "Errors by container",
      undefined,
      { expr: `sum by (container) (count_over_time(${ERRORS}[5m]))`, legend: "{{container}}" },
      { datasource: "logs", mayBeEmpty: GOOD },
    ),
    timeseries("Taken in", "Bps", {
      expr: "sum(rate(loki_distributor_bytes_received_total[5m]))",
      legend: "bytes a second",
    }),
    timeseries(
      "Refused by Loki",
      undefined,
      { expr: "sum by (reason) (rate(loki_discarded_samples_total[5m]))", legend: "{{reason}}" },
      { mayBeEmpty: "Loki counts a reason only once it has happened" },
    ),
    logs("Errors", ERRORS, { mayBeEmpty: GOOD }),
    logs("All lines", '{container=~".+"}'),
  ],
};

/** Where every container's log goes. */
export const loki = defineService({
  name: "loki",
  image: images.loki,
  networks: ["monitoring"],
  port: 3100,
  user: { uid: 10001, gid: 10001 },
  command: ["-config.file=/etc/vpai/loki.yaml", "-target=all"],
  data: [{ path: "", target: "/loki" }],
  files: [
    {
      path: "loki.yaml",
      content: ({ settings }) => renderLokiConfig({ logsDays: settings.retention.logsDays, heapMb: HEAP_MB }),
    },
  ],
  environment: () => ({ GOMEMLIMIT: `${HEAP_MB}MiB` }),
  // The image holds this program alone, neither shell nor wget (P16). It asks its own /ready.
  health: {
    test: ["CMD", "/usr/bin/loki", "-health"],
    intervalSeconds: 15,
    timeoutSeconds: 5,
    retries: 3,
    startPeriodSeconds: 60,
    deadlineSeconds: 150,
  },
  pids: 128,
  memory: { requestMb: 256, limitMb: { standard: 320, small: 288 } },
  cpus: 0.5,
  // It writes what is in memory to disk when it ends.
  stopGraceSeconds: 45,
  metrics: {},
  alerts: [
    alert(
      "warning",
      "LogsRefused",
      "sum by (reason) (increase(loki_discarded_samples_total[15m])) > 0",
      15,
      "Loki refuses log lines ({{ $labels.reason }}). Look at its limits and at the clock of the server.",
    ),
    alert(
      "critical",
      "LokiFailing",
      'sum(rate(loki_request_duration_seconds_count{status_code=~"5.."}[5m])) / sum(rate(loki_request_duration_seconds_count[5m])) > 0.1',
      10,
      "More than a tenth of the requests to Loki fail. Look at its log, its memory and the disk.",
    ),
    // 0 until it ran for the first time.
    alert(
      "warning",
      "LogRetentionStuck",
      "time() - (loki_compactor_apply_retention_last_successful_run_timestamp_seconds > 0) > 86400",
      60,
      "Loki has deleted no old lines for a day: the disk fills. Look at what its compactor says.",
    ),
  ],
  dashboards: [LOGS],
  backup: notApplicable("logs tell of the past and are deleted after some days anyway; new ones arrive at once"),
  smoke: [{ name: "Loki is ready", exec: ["/usr/bin/loki", "-health"], prints: /Loki is healthy/ }],
  upgrade:
    "Read the upgrade notes for settings that are gone: Loki refuses to start with one it does not know. A new schema " +
    "version is added below the present one in schema_config with a date in the future, never put in its place.",
});

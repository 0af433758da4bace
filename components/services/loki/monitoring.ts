import { alert, logs, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

/** Words that products log on errors, in upper or lower case. */
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

export const alerts: readonly AlertSpec[] = [
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
];

export const dashboards: readonly DashboardSpec[] = [LOGS];

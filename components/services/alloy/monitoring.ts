import { alert, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

const COLLECTION: DashboardSpec = {
  uid: "vpai-collection",
  title: "Collection",
  panels: [
    stat("Targets", "count(up)"),
    stat("Targets down", "count(up == 0) or vector(0)", { thresholds: [1, 2] }),
    stat(
      "Parts of Alloy that are not healthy",
      'sum(alloy_component_controller_running_components{health_type!="healthy"}) or vector(0)',
      { thresholds: [1, 2] },
    ),
    stat("Memory", "alloy_resources_process_resident_memory_bytes", { unit: "bytes" }),
    timeseries("Up", undefined, { expr: "up", legend: "{{job}}" }),
    timeseries("Time a scrape takes", "s", { expr: "scrape_duration_seconds", legend: "{{job}}" }),
    timeseries("Samples sent to VictoriaMetrics", undefined, [
      { expr: "sum(rate(prometheus_remote_storage_samples_total[5m]))", legend: "sent" },
      { expr: "sum(rate(prometheus_remote_storage_samples_failed_total[5m]))", legend: "failed" },
    ]),
    timeseries("Log lines", undefined, [
      { expr: "sum(rate(loki_source_docker_target_entries_total[5m]))", legend: "read" },
      { expr: "sum(rate(loki_write_sent_entries_total[5m]))", legend: "sent to Loki" },
      { expr: "sum(rate(loki_write_dropped_entries_total[5m]))", legend: "dropped" },
    ]),
  ],
};

export const alerts: readonly AlertSpec[] = [
  alert(
    "critical",
    "TargetDown",
    "up == 0",
    5,
    "{{ $labels.job }} cannot be scraped – the container may be unhealthy or unreachable from Alloy. See `docker ps` and its log.",
  ),
  alert(
    "critical",
    "CollectionStopped",
    'absent_over_time(up{job="alloy"}[5m])',
    5,
    "No metrics arrive at all, so no other alert can be trusted. Look at Alloy and VictoriaMetrics.",
  ),
  alert(
    "warning",
    "AlloyUnhealthy",
    'sum by (health_type) (alloy_component_controller_running_components{health_type!="healthy"}) > 0',
    10,
    "Parts of Alloy are {{ $labels.health_type }}: metrics or logs are missing. Look at its log.",
  ),
  alert(
    "warning",
    "LogsDropped",
    "sum by (reason) (increase(loki_write_dropped_entries_total[15m])) > 0",
    5,
    "Log lines are lost on their way to Loki ({{ $labels.reason }}). Look at Loki's log and limits.",
  ),
  alert(
    "warning",
    "SamplesDropped",
    "sum(increase(prometheus_remote_storage_samples_failed_total[15m])) > 0",
    5,
    "VictoriaMetrics refuses samples, and Alloy drops them. Look at the log of both.",
  ),
];

export const dashboards: readonly DashboardSpec[] = [COLLECTION];

import { alert, ownLog, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

export const alerts: readonly AlertSpec[] = [
  alert(
    "critical",
    "QdrantRecoveryMode",
    "qdrant_app_status_recovery_mode == 1",
    1,
    "Qdrant was killed while it loaded its collections and now only lets them be deleted: raise its memory",
  ),
  alert(
    "warning",
    "QdrantErrors",
    'sum(increase(qdrant_rest_responses_total{status=~"5.."}[10m])) > 0',
    5,
    "Qdrant answers requests about points with errors of its own: see `docker logs qdrant`",
  ),
  alert(
    "warning",
    "QdrantMapsNearlyUsedUp",
    "qdrant_process_open_mmaps / qdrant_system_max_mmaps > 0.8",
    10,
    "Qdrant maps nearly as many files as the kernel lets it (vm.max_map_count): it ends when there are no more",
  ),
];

export const dashboards: readonly DashboardSpec[] = [
  {
    uid: "vpai-qdrant",
    title: "Qdrant",
    panels: [
      stat("Collections", "qdrant_collections_total"),
      timeseries("Memory", "bytes", { expr: "qdrant_memory_resident_bytes", legend: "resident" }),
      timeseries(
        "Points",
        undefined,
        { expr: "qdrant_collection_points", legend: "{{id}}" },
        { mayBeEmpty: "a deployment whose services need no collection has none" },
      ),
      timeseries(
        "Requests about points",
        "reqps",
        {
          expr: "sum by (method, endpoint, status) (rate(qdrant_rest_responses_total[5m]))",
          legend: "{{method}} {{endpoint}} {{status}}",
        },
        { mayBeEmpty: "Qdrant reports these only after the first request" },
      ),
      timeseries(
        "Time of requests about points, 95th percentile",
        "s",
        {
          expr: "histogram_quantile(0.95, sum by (le, endpoint) (rate(qdrant_rest_responses_duration_seconds_bucket[5m])))",
          legend: "{{endpoint}}",
        },
        { mayBeEmpty: "Qdrant reports these only after the first request" },
      ),
      ownLog("qdrant"),
    ],
  },
];

import { alert } from "../../service/presets/index.ts";
import type { AlertSpec } from "../../service/model/monitoring.ts";

export const alerts: readonly AlertSpec[] = [
  alert(
    "warning",
    "GrafanaFailing",
    'sum(rate(grafana_http_request_duration_seconds_count{status_code=~"5.."}[5m])) > 0.1',
    10,
    "Grafana answers requests with errors. Look at its log, and at VictoriaMetrics and Loki.",
  ),
];

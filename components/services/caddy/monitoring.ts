import { alert, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

export const alerts: readonly AlertSpec[] = [
  alert(
    "warning",
    "edge-errors",
    'sum(rate(caddy_http_request_duration_seconds_count{code=~"5.."}[5m])) / sum(rate(caddy_http_request_duration_seconds_count[5m])) > 0.05',
    10,
    "More than 5 % of the requests at the edge fail: see the dashboard Caddy, then the service behind it",
  ),
];

export const dashboards: readonly DashboardSpec[] = [
  {
    uid: "vpai-caddy",
    title: "Caddy",
    panels: [
      timeseries("Requests", "reqps", {
        expr: "sum by (host) (rate(caddy_http_request_duration_seconds_count[5m]))",
        legend: "{{host}}",
      }),
      timeseries("Answers by status", "reqps", {
        expr: "sum by (code) (rate(caddy_http_request_duration_seconds_count[5m]))",
        legend: "{{code}}",
      }),
      timeseries("Time to answer, 95th percentile", "s", {
        expr: "histogram_quantile(0.95, sum by (le, host) (rate(caddy_http_request_duration_seconds_bucket[5m])))",
        legend: "{{host}}",
      }),
      stat("Services behind the edge", { expr: "caddy_reverse_proxy_upstreams_healthy", legend: "{{upstream}}" }),
    ],
  },
];

import type { Scrape } from "../../../components/service/model/context.ts";
import type { DashboardSpec } from "../../../components/service/model/monitoring.ts";
import { serviceSecrets } from "../../../components/service/model/secrets.ts";

const key = serviceSecrets("qdrant", { "read-key": { permanent: false } }).ref["read-key"];

/** What the sample scrapes. */
export const scrapes: readonly Scrape[] = [
  { service: "node-exporter", address: "node-exporter:9100", path: "/metrics" },
  { service: "qdrant", address: "qdrant:6333", path: "/metrics", bearer: key },
];

/** What the sample shows. */
export const dashboard: DashboardSpec = {
  uid: "vpai-sample",
  title: "Sample",
  panels: [
    { title: "Targets", kind: "stat", datasource: "metrics", queries: [{ expr: "count(up)" }], thresholds: [1, 2] },
    {
      title: "Up",
      kind: "timeseries",
      datasource: "metrics",
      queries: [{ expr: "up", legend: "{{job}}" }, { expr: "scrape_duration_seconds" }],
      unit: "s",
    },
    { title: "Lines", kind: "stat", datasource: "logs", queries: [{ expr: 'sum(count_over_time({a="b"}[1h]))' }] },
    { title: "All", kind: "logs", datasource: "logs", queries: [{ expr: '{container=~".+"}' }] },
  ],
};

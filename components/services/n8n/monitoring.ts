import type { AlertSpec, DashboardSpec, PanelSpec } from "../../service/model/monitoring.ts";

const FAILED = "sum(increase(n8n_workflow_failed_total[1h]))";

export const N8N_ALERTS: readonly AlertSpec[] = [
  {
    name: "N8nWorkflowsFail",
    expr: `${FAILED} >= 3`,
    forMinutes: 0,
    severity: "warning",
    summary: "Workflows have failed three times or more within an hour: n8n lists them under Executions.",
  },
  {
    name: "N8nLoginsFail",
    expr: "sum(increase(n8n_audit_user_login_failed_total[15m])) >= 20",
    forMinutes: 0,
    severity: "critical",
    summary: "Somebody tries passwords at n8n, which is open to the world. See where from in the edge's log.",
  },
  {
    name: "N8nSlow",
    expr: "max(n8n_nodejs_eventloop_lag_p99_seconds) > 1",
    forMinutes: 10,
    severity: "warning",
    summary: "n8n is too busy to answer in time: a workflow computes in its main process, or it needs more processor.",
  },
];

const NOTHING_RAN = "n8n tells it once a workflow has run";

const panel = (title: string, unit: string, ...queries: PanelSpec["queries"]): PanelSpec => ({
  title,
  kind: "timeseries",
  datasource: "metrics",
  unit,
  queries,
});
const stat = (title: string, expr: string): PanelSpec => ({
  title,
  kind: "stat",
  datasource: "metrics",
  queries: [{ expr }],
});
const quantile = (q: number): string =>
  `histogram_quantile(${q}, sum by (le) (rate(n8n_workflow_execution_duration_seconds_bucket[5m])))`;

export const N8N_DASHBOARD: DashboardSpec = {
  uid: "vpai-n8n",
  title: "n8n",
  panels: [
    stat("Workflows", "max(n8n_workflows)"),
    stat("Active workflows", "max(n8n_active_workflow_count)"),
    stat("Executions so far", "max(n8n_production_executions)"),
    stat("Credentials", "max(n8n_credentials)"),
    {
      ...panel("Executions in ten minutes", "short", {
        expr: "sum by (status) (increase(n8n_workflow_execution_duration_seconds_count[10m]))",
        legend: "{{status}}",
      }),
      mayBeEmpty: NOTHING_RAN,
    },
    {
      ...panel(
        "Time that executions take",
        "s",
        { expr: quantile(0.5), legend: "half of them" },
        { expr: quantile(0.95), legend: "95 %" },
      ),
      mayBeEmpty: NOTHING_RAN,
    },
    { ...panel("Failures in an hour", "short", { expr: FAILED }), mayBeEmpty: "no workflow has failed" },
    {
      ...panel(
        "Logins in an hour",
        "short",
        { expr: "sum(increase(n8n_audit_user_login_success_total[1h]))", legend: "let in" },
        { expr: "sum(increase(n8n_audit_user_login_failed_total[1h]))", legend: "refused" },
      ),
      mayBeEmpty: "nobody has logged in since it was started",
    },
    panel("CPU, of one core", "percent", { expr: "100 * rate(n8n_process_cpu_seconds_total[5m])" }),
    panel(
      "Memory",
      "bytes",
      { expr: "n8n_process_resident_memory_bytes", legend: "main process" },
      { expr: "n8n_nodejs_heap_size_used_bytes", legend: "JavaScript's heap" },
    ),
    panel("Delay of the event loop, 99 %", "s", { expr: "n8n_nodejs_eventloop_lag_p99_seconds" }),
    { title: "Log", kind: "logs", datasource: "logs", queries: [{ expr: '{container="n8n"}' }] },
  ],
};

import { alert, ownLog, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

const FAILED = "sum(increase(n8n_workflow_failed_total[1h]))";

export const N8N_ALERTS: readonly AlertSpec[] = [
  alert(
    "warning",
    "N8nWorkflowsFail",
    `${FAILED} >= 3`,
    0,
    "Workflows have failed three times or more within an hour: n8n lists them under Executions.",
  ),
  alert(
    "critical",
    "N8nLoginsFail",
    "sum(increase(n8n_audit_user_login_failed_total[15m])) >= 20",
    0,
    "Possible brute-force login on n8n, which is public: 20 failures in 15 minutes. See the source addresses in the Caddy log.",
  ),
  alert(
    "warning",
    "N8nSlow",
    "max(n8n_nodejs_eventloop_lag_p99_seconds) > 1",
    10,
    "n8n responds slowly: a workflow blocks its main process, or it needs more CPU.",
  ),
];

const NOTHING_RAN = "n8n reports it after the first execution";

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
    timeseries(
      "Executions in ten minutes",
      "short",
      { expr: "sum by (status) (increase(n8n_workflow_execution_duration_seconds_count[10m]))", legend: "{{status}}" },
      { mayBeEmpty: NOTHING_RAN },
    ),
    timeseries(
      "Execution time",
      "s",
      [
        { expr: quantile(0.5), legend: "median" },
        { expr: quantile(0.95), legend: "95 %" },
      ],
      { mayBeEmpty: NOTHING_RAN },
    ),
    timeseries("Failures in an hour", "short", FAILED, { mayBeEmpty: "no workflow has failed" }),
    timeseries(
      "Logins in an hour",
      "short",
      [
        { expr: "sum(increase(n8n_audit_user_login_success_total[1h]))", legend: "successful" },
        { expr: "sum(increase(n8n_audit_user_login_failed_total[1h]))", legend: "failed" },
      ],
      { mayBeEmpty: "there was no login since the start" },
    ),
    timeseries("CPU, of one core", "percent", "100 * rate(n8n_process_cpu_seconds_total[5m])"),
    timeseries("Memory", "bytes", [
      { expr: "n8n_process_resident_memory_bytes", legend: "main process" },
      { expr: "n8n_nodejs_heap_size_used_bytes", legend: "JavaScript heap" },
    ]),
    timeseries("Event loop lag, 99 %", "s", "n8n_nodejs_eventloop_lag_p99_seconds"),
    ownLog("n8n"),
  ],
};

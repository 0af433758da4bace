import { alert, ownLog, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

export const alerts: readonly AlertSpec[] = [
  alert(
    "warning",
    "OpenClawModelsRefuse",
    `sum(increase(litellm_proxy_failed_requests_metric_total{api_key_alias="openclaw"}[15m])) >= 3`,
    0,
    "OpenClaw's questions to language models fail: see its budget and the failures in the dashboard LiteLLM.",
  ),
];

export const dashboards: readonly DashboardSpec[] = [
  {
    uid: "vpai-openclaw",
    title: "OpenClaw",
    panels: [
      timeseries("Memory", "bytes", [
        { expr: 'max(container_memory_working_set_bytes{name="openclaw"})', legend: "used" },
        { expr: 'max(container_spec_memory_limit_bytes{name="openclaw"})', legend: "limit" },
      ]),
      stat(
        "Left today for language models",
        'sum(litellm_remaining_api_key_budget_metric{api_key_alias="openclaw"} < inf)',
        { unit: "currencyUSD", mayBeEmpty: "LiteLLM reports it after OpenClaw's first request to a model" },
      ),
      timeseries(
        "Tokens in an hour",
        undefined,
        {
          expr: 'sum by (model) (increase(litellm_total_tokens_metric_total{api_key_alias="openclaw"}[1h]))',
          legend: "{{model}}",
        },
        { mayBeEmpty: "LiteLLM reports it after OpenClaw's first request to a model" },
      ),
      ownLog("openclaw"),
    ],
  },
];

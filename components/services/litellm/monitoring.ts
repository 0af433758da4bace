import { alert, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec, PanelSpec } from "../../service/model/monitoring.ts";

/** LiteLLM books the whole proxy's spending on a user of this name; its budget metrics are that user's. */
const PROXY = `{user="litellm-proxy-budget"}`;
const BUDGET = `litellm_user_max_budget_metric${PROXY}`;
const LEFT = `litellm_remaining_user_budget_metric${PROXY}`;
const USED = `100 * (1 - ${LEFT} / ${BUDGET})`;
const USED_BY_KEY = "100 * (1 - litellm_remaining_api_key_budget_metric / litellm_api_key_max_budget_metric)";

const FAILED = "sum(increase(litellm_proxy_failed_requests_metric_total[10m]))";
const ALL = "sum(increase(litellm_proxy_total_requests_metric_total[10m]))";

// Without a model's name: requests that never got as far as a provider.
const byModel = (metric: string): string =>
  `sum by (api_provider, litellm_model_name) (increase(${metric}{litellm_model_name!=""}[10m]))`;

/** Where spending begins to be worth a look, and where it is nearly all, in per cent of a day's budget. */
const [WARNING, CRITICAL] = [70, 90];

export const LLM_ALERTS: readonly AlertSpec[] = [
  alert(
    "warning",
    "LlmBudgetWarning",
    `${USED} >= ${WARNING} < ${CRITICAL}`,
    0,
    `More than ${WARNING} % of today's budget for language models is spent: see by whom in the dashboard LiteLLM.`,
  ),
  alert(
    "critical",
    "LlmBudgetNearlySpent",
    `${USED} >= ${CRITICAL}`,
    0,
    `More than ${CRITICAL} % of today's budget for language models is spent. Once it is all spent every request is ` +
      "refused with 429 until midnight, or until vpai:dailyBudgetUsd is raised.",
  ),
  alert(
    "warning",
    "LlmClientBudgetNearlySpent",
    `${USED_BY_KEY} >= ${CRITICAL}`,
    0,
    `{{ $labels.api_key_alias }} has spent more than ${CRITICAL} % of its own budget of today for language models.`,
  ),
  alert(
    "warning",
    "LlmRequestsFail",
    `${FAILED} >= 5 and ${FAILED} / ${ALL} > 0.2`,
    5,
    "More than a fifth of the requests to language models fail: see the failures in the dashboard LiteLLM.",
  ),
  alert(
    "warning",
    "LlmModelDown",
    `${byModel("litellm_deployment_failure_responses_total")} >= 3 ` +
      `unless ${byModel("litellm_deployment_success_responses_total")} > 0`,
    0,
    "{{ $labels.litellm_model_name }} of {{ $labels.api_provider }} has answered nothing for ten minutes: see the " +
      "provider's status page, and whether its key is still good.",
  ),
];

const NO_CALLS = "nothing is to be seen before a model is asked for the first time";

const calls = (title: string, unit: string, ...queries: PanelSpec["queries"]): PanelSpec =>
  timeseries(title, unit, queries);

/** A panel about what happens only when something is wrong, or by luck. */
const seldom = (title: string, mayBeEmpty: string, ...queries: PanelSpec["queries"]): PanelSpec => ({
  ...calls(title, "short", ...queries),
  mayBeEmpty,
});

const quantile = (q: number, metric: string, by = ""): string =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (rate(${metric}_bucket[5m])))`;

export const LLM_DASHBOARD: DashboardSpec = {
  uid: "litellm",
  title: "LiteLLM",
  panels: [
    stat("Spent today", `${BUDGET} - ${LEFT}`, { unit: "currencyUSD" }),
    stat("Budget used today", USED, { unit: "percent", thresholds: [WARNING, CRITICAL] }),
    stat(
      "Left today, by client",
      { expr: "sum by (api_key_alias) (litellm_remaining_api_key_budget_metric < inf)", legend: "{{api_key_alias}}" },
      { unit: "currencyUSD" },
    ),
    calls("Spent in an hour, by client", "currencyUSD", {
      expr: "sum by (api_key_alias) (increase(litellm_spend_metric_total[1h]))",
      legend: "{{api_key_alias}}",
    }),
    calls("Spent in an hour, by model", "currencyUSD", {
      expr: "sum by (model) (increase(litellm_spend_metric_total[1h]))",
      legend: "{{model}}",
    }),
    calls(
      "Tokens in a minute",
      "short",
      { expr: "sum by (model) (rate(litellm_input_tokens_metric_total[5m])) * 60", legend: "in, {{model}}" },
      { expr: "sum by (model) (rate(litellm_output_tokens_metric_total[5m])) * 60", legend: "out, {{model}}" },
    ),
    calls("Requests, by status", "reqps", {
      expr: "sum by (status_code) (rate(litellm_proxy_total_requests_metric_total[5m]))",
      legend: "{{status_code}}",
    }),
    calls(
      "Time to an answer",
      "s",
      { expr: quantile(0.5, "litellm_request_total_latency_metric"), legend: "half of them" },
      { expr: quantile(0.95, "litellm_request_total_latency_metric"), legend: "95 %" },
    ),
    calls("Time that the provider takes, 95 %", "s", {
      expr: quantile(0.95, "litellm_llm_api_latency_metric", "model"),
      legend: "{{model}}",
    }),
    calls("State of the models: 0 well, 1 failed the last time, 2 left out for now", "short", {
      expr: "max by (litellm_model_name) (litellm_deployment_state)",
      legend: "{{litellm_model_name}}",
    }),
    seldom("Failures in an hour", "no request has failed", {
      expr: "sum by (exception_class, exception_status) (increase(litellm_proxy_failed_requests_metric_total[1h]))",
      legend: "{{exception_status}} {{exception_class}}",
    }),
    seldom("Fallbacks in an hour", "no model has had to stand in for another", {
      expr: "sum by (requested_model, fallback_model) (increase(litellm_deployment_successful_fallbacks_total[1h]))",
      legend: "{{requested_model}} to {{fallback_model}}",
    }),
    seldom(
      "Answers from the cache in an hour",
      NO_CALLS,
      { expr: "sum(increase(litellm_cache_hits_metric_total[1h]))", legend: "from the cache" },
      { expr: "sum(increase(litellm_cache_misses_metric_total[1h]))", legend: "not in the cache" },
    ),
  ],
};

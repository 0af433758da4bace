package main

import (
	"context"
	"strconv"

	"vpai.sandbox/fakes/serve"
)

// LiteLLM's own buckets for times, in seconds.
var buckets = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 420, 600}

// caller labels: who asked.
func (c caller) labels() []string {
	return []string{"api_key_alias", c.alias, "hashed_api_key", c.label, "user", "default_user_id", "end_user", "None", "team", "None", "team_alias", "None"}
}

// tellBudgets tells what is left of each budget. LiteLLM does so every five minutes; here it is never old.
func (p *proxy) tellBudgets(ctx context.Context) {
	keys, err := p.database.keys(ctx, "true")
	if err != nil {
		serve.Say("budgets: %v", err)
		return
	}
	p.metrics.Clear("litellm_remaining_api_key_budget_metric")
	p.metrics.Clear("litellm_api_key_max_budget_metric")
	for _, key := range keys {
		if key.MaxBudget == nil {
			continue
		}
		alias := "None"
		if key.Alias != nil {
			alias = *key.Alias
		}
		labels := []string{"api_key_alias", alias, "hashed_api_key", key.Token}
		p.metrics.Set("litellm_remaining_api_key_budget_metric", *key.MaxBudget-key.Spend, labels...)
		p.metrics.Set("litellm_api_key_max_budget_metric", *key.MaxBudget, labels...)
	}
	if limit := p.config.Settings.MaxBudget; limit > 0 {
		if spent, err := p.database.proxySpend(ctx); err == nil {
			p.metrics.Set("litellm_remaining_user_budget_metric", limit-spent, "user", proxyBudget)
			p.metrics.Set("litellm_user_max_budget_metric", limit, "user", proxyBudget)
		}
	}
}

func (p *proxy) countSuccess(who caller, group string, d *deployment, done completion, cost, total float64) {
	common := append(who.labels(), "requested_model", group, "model", d.model, "model_id", d.id, "api_provider", d.provider)
	p.countRequest(who, group, d, 200)
	p.metrics.Add("litellm_spend_metric_total", cost, common...)
	p.metrics.Add("litellm_input_tokens_metric_total", float64(done.Usage.Prompt), common...)
	p.metrics.Add("litellm_output_tokens_metric_total", float64(done.Usage.Completion), common...)
	p.metrics.Add("litellm_total_tokens_metric_total", float64(done.Usage.Total), common...)
	p.metrics.Observe("litellm_request_total_latency_metric", total, buckets, common...)
}

func (p *proxy) countRequest(who caller, group string, d *deployment, status int) {
	labels := append(who.labels(), "requested_model", group, "status_code", strconv.Itoa(status), "route", "/v1/chat/completions", "api_provider", providerOf(d))
	p.metrics.Add("litellm_proxy_total_requests_metric_total", 1, labels...)
}

func (p *proxy) countFailure(who caller, group string, d *deployment, f failure) {
	p.countRequest(who, group, d, f.status)
	labels := append(who.labels(), "requested_model", group, "exception_status", strconv.Itoa(f.status), "exception_class", f.class(d), "route", "/v1/chat/completions", "api_provider", providerOf(d))
	p.metrics.Add("litellm_proxy_failed_requests_metric_total", 1, labels...)
}

// countCall tells of one question to a provider.
func (p *proxy) countCall(who caller, group string, d *deployment, failed *failure, seconds float64) {
	where := []string{"litellm_model_name", d.model, "model_id", d.id, "api_base", apiBase(d), "api_provider", d.provider}
	labels := append(append(who.labels(), "requested_model", group), where...)
	p.metrics.Add("litellm_deployment_total_requests_total", 1, labels...)
	if failed == nil {
		p.metrics.Set("litellm_deployment_state", 0, where...)
		p.metrics.Add("litellm_deployment_success_responses_total", 1, labels...)
		p.metrics.Observe("litellm_llm_api_latency_metric", seconds, buckets, append(who.labels(), "requested_model", group, "model", d.model, "model_id", d.id, "api_provider", d.provider)...)
		return
	}
	p.metrics.Set("litellm_deployment_state", 1, where...)
	p.metrics.Add("litellm_deployment_failure_responses_total", 1, append(labels, "exception_status", strconv.Itoa(failed.status), "exception_class", failed.class(d))...)
}

func (p *proxy) countCache(who caller, d *deployment, hit bool, tokens int) {
	labels := append(who.labels(), "model", d.model, "model_id", d.id, "api_provider", d.provider)
	if hit {
		p.metrics.Add("litellm_cache_hits_metric_total", 1, labels...)
		p.metrics.Add("litellm_cached_tokens_metric_total", float64(tokens), labels...)
	} else {
		p.metrics.Add("litellm_cache_misses_metric_total", 1, labels...)
	}
}

func providerOf(d *deployment) string {
	if d == nil {
		return "None"
	}
	return d.provider
}

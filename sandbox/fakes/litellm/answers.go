package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"vpai.sandbox/fakes/serve"
)

func (p *proxy) readiness(w http.ResponseWriter, r *http.Request) {
	limit, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	if err := p.database.pool.Ping(limit); err != nil {
		serve.JSON(w, http.StatusServiceUnavailable, map[string]string{"status": "healthy", "db": "disconnected"})
		return
	}
	serve.JSON(w, http.StatusOK, map[string]string{"status": "healthy", "db": "connected"})
}

// health asks every model a question, which costs money: never a health check's business (P18).
func (p *proxy) health(w http.ResponseWriter, r *http.Request) {
	fine, bad := []any{}, []any{}
	for _, each := range p.config.Models {
		asked := chat{Model: each.Name, Messages: []message{{Role: "user", Content: "test from litellm"}}, all: map[string]any{
			"messages": []message{{Role: "user", Content: "test from litellm"}}, "max_tokens": 5,
		}}
		told := map[string]any{"model": each.Params.Model, "model_id": each.id}
		if _, failed, _ := p.ask(r.Context(), each, asked); failed != nil {
			told["error"] = failed.message
			bad = append(bad, told)
		} else {
			fine = append(fine, told)
		}
	}
	serve.Say("/health: asked %d models a question, which costs money", len(p.config.Models))
	serve.JSON(w, http.StatusOK, map[string]any{
		"healthy_endpoints": fine, "unhealthy_endpoints": bad, "healthy_count": len(fine), "unhealthy_count": len(bad),
	})
}

func (p *proxy) models(w http.ResponseWriter, _ *http.Request) {
	data := []any{}
	for _, each := range p.config.Models {
		data = append(data, map[string]any{"id": each.Name, "object": "model", "created": 1677610602, "owned_by": "openai"})
	}
	serve.JSON(w, http.StatusOK, map[string]any{"data": data, "object": "list"})
}

func (p *proxy) spendLogs(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	logs, err := p.database.logs(r.Context(), hashed(query.Get("api_key")), query.Get("request_id"))
	if err != nil {
		failInside(w, err)
		return
	}
	if logs == nil {
		logs = []spendLog{}
	}
	serve.JSON(w, http.StatusOK, logs)
}

func (p *proxy) globalSpend(w http.ResponseWriter, r *http.Request) {
	var spent float64
	err := p.database.pool.QueryRow(r.Context(),
		`SELECT coalesce(sum(spend), 0) FROM "LiteLLM_SpendLogs" WHERE "startTime" > now() - interval '30 days'`).Scan(&spent)
	if err != nil {
		failInside(w, err)
		return
	}
	serve.JSON(w, http.StatusOK, map[string]any{"spend": spent, "max_budget": p.config.Settings.MaxBudget})
}

func fail(w http.ResponseWriter, f failure) {
	var part any = f.part
	if f.part == "" {
		part = nil
	}
	serve.JSON(w, f.status, map[string]any{"error": map[string]any{
		"message": f.message, "type": f.kind, "param": part, "code": fmt.Sprint(f.status),
	}})
}

func failInside(w http.ResponseWriter, err error) {
	serve.Say("Error: %v", err)
	fail(w, failure{500, "Internal server error", "internal_server_error", "None"})
}

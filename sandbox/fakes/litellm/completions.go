package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

// found is an answer and where it came from.
type found struct {
	done               completion
	from               *deployment
	retries, fallbacks int
	cacheKey           string
	cached             bool
}

func (p *proxy) completions(w http.ResponseWriter, r *http.Request) {
	begun, who := time.Now(), callerOf(r)
	asked, refusal := readChat(r)
	if refusal != nil {
		fail(w, *refusal)
		return
	}
	d := p.config.model(asked.Model)
	if refusal := p.mayAsk(r.Context(), who, d, asked); refusal != nil {
		group := asked.Model
		if d == nil {
			group = "other"
		}
		p.countFailure(who, group, d, *refusal)
		fail(w, *refusal)
		return
	}
	answer, refusal := p.find(r.Context(), who, d, asked)
	if refusal != nil {
		p.countFailure(who, asked.Model, d, *refusal)
		fail(w, *refusal)
		return
	}
	cost := 0.0
	if !answer.cached {
		cost = (float64(answer.done.Usage.Prompt)*answer.from.price.Input + float64(answer.done.Usage.Completion)*answer.from.price.Output) / 1e6
	}
	if err := p.database.book(context.WithoutCancel(r.Context()), logOf(who, asked, answer, cost, begun)); err != nil {
		serve.Say("spend: %v", err)
	}
	p.countSuccess(who, asked.Model, answer.from, answer.done, cost, time.Since(begun).Seconds())
	p.tellBudgets(r.Context())
	p.send(w, asked, answer, cost)
}

func readChat(r *http.Request) (chat, *failure) {
	asked := chat{all: map[string]any{}}
	invalid := func(format string, values ...any) (chat, *failure) {
		return asked, &failure{400, fmt.Sprintf(format, values...), "invalid_request_error", "None"}
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 32<<20)).Decode(&asked.all); err != nil {
		return invalid("Invalid JSON payload: %v", err)
	}
	asked.Model, _ = asked.all["model"].(string)
	asked.Stream, _ = asked.all["stream"].(bool)
	if options, isMap := asked.all["stream_options"].(map[string]any); isMap {
		asked.Usage, _ = options["include_usage"].(bool)
	}
	text, _ := json.Marshal(asked.all["messages"])
	if err := json.Unmarshal(text, &asked.Messages); err != nil || len(asked.Messages) == 0 {
		return invalid("messages: at least one message is required")
	}
	for _, each := range asked.Messages {
		if each.Role == "tool" || each.Role == "function" {
			return invalid("the sandbox's fake of LiteLLM does not do the results of tools")
		}
	}
	return asked, nil
}

// mayAsk checks model and budgets, the key's first, as LiteLLM does. The master key has none.
func (p *proxy) mayAsk(ctx context.Context, who caller, d *deployment, asked chat) *failure {
	if d == nil {
		message := fmt.Sprintf("/chat/completions: Invalid model name passed in model=%s. Call `/v1/models` to view available models for your key.", asked.Model)
		return &failure{400, message, "invalid_request_error", "None"}
	}
	if who.admin {
		return nil
	}
	if key := who.key; key.MaxBudget != nil && key.Spend >= *key.MaxBudget {
		message := fmt.Sprintf("Budget has been exceeded! Key=%s (%s) Current cost: %v, Max budget: %v", who.alias, *key.Name, key.Spend, *key.MaxBudget)
		return &failure{429, message, "budget_exceeded", ""}
	}
	if limit := p.config.Settings.MaxBudget; limit > 0 {
		spent, err := p.database.proxySpend(ctx)
		if err != nil {
			return &failure{503, "DB not connected", "no_db_connection", "None"}
		}
		if spent > limit {
			return &failure{429, fmt.Sprintf("Budget has been exceeded! Current cost: %v, Max budget: %v", spent, limit), "budget_exceeded", ""}
		}
	}
	return nil
}

// find looks in the cache, asks the model, and then those it falls back to.
func (p *proxy) find(ctx context.Context, who caller, d *deployment, asked chat) (found, *failure) {
	key := p.cacheKey(asked)
	if done, hit := p.fromCache(key); hit {
		p.countCache(who, d, true, done.Usage.Total)
		return found{done: done, from: d, cacheKey: key, cached: true}, nil
	}
	done, retries, failed := p.askPatiently(ctx, who, d, asked)
	if failed == nil {
		done.Model = asked.Model
		p.intoCache(key, done)
		p.countCache(who, d, false, 0)
		return found{done: done, from: d, retries: retries, cacheKey: key}, nil
	}
	names := p.config.fallbacks(asked.Model)
	failed.message += fmt.Sprintf(". Received Model Group=%s\nAvailable Model Group Fallbacks=%s", asked.Model, listed(names))
	if failed.status == 400 {
		return found{}, failed
	}
	for i, name := range names {
		other := p.config.model(name)
		done, retries, also := p.askPatiently(ctx, who, other, asked)
		labels := append(who.labels(), "requested_model", asked.Model, "fallback_model", name, "exception_status", strconv.Itoa(failed.status), "exception_class", failed.class(d))
		if also == nil {
			p.metrics.Add("litellm_deployment_successful_fallbacks_total", 1, labels...)
			return found{done: done, from: other, retries: retries, fallbacks: i + 1, cacheKey: key}, nil
		}
		p.metrics.Add("litellm_deployment_failed_fallbacks_total", 1, labels...)
		failed.message += "\nError doing the fallback: " + also.message
	}
	return found{}, failed
}

// listed writes names as Python does.
func listed(names []string) string {
	if len(names) == 0 {
		return "None"
	}
	return "['" + strings.Join(names, "', '") + "']"
}

// cacheKey is the same for requests that ask the same.
func (p *proxy) cacheKey(asked chat) string {
	same := map[string]any{}
	for name, value := range asked.all {
		if name != "stream" && name != "stream_options" && name != "user" && name != "metadata" {
			same[name] = value
		}
	}
	text, _ := json.Marshal(same) // its members are in order
	return p.config.Settings.CacheParams.Namespace + ":" + sha256Hex(string(text))
}

func (p *proxy) fromCache(key string) (done completion, hit bool) {
	if p.redis == nil {
		return
	}
	text, err := p.redis.do("GET", key)
	if err == nil {
		hit = json.Unmarshal([]byte(text), &done) == nil && len(done.Choices) > 0
	} else if !errors.Is(err, errNone) {
		serve.Say("cache: %v", err)
	}
	return
}

func (p *proxy) intoCache(key string, done completion) {
	if p.redis == nil {
		return
	}
	text, _ := json.Marshal(done)
	if _, err := p.redis.do("SET", key, string(text), "EX", strconv.Itoa(max(p.config.Settings.CacheParams.TTL, 1))); err != nil {
		serve.Say("cache: %v", err)
	}
}

func logOf(who caller, asked chat, answer found, cost float64, begun time.Time) spendLog {
	hit := "False"
	id := answer.done.ID
	if answer.cached {
		hit, id = "True", id+"_cache_hit"+randomText(8)
	}
	return spendLog{
		RequestID: id, APIKey: who.label, Spend: cost, TotalTokens: answer.done.Usage.Total,
		PromptTokens: answer.done.Usage.Prompt, CompletionTokens: answer.done.Usage.Completion, StartTime: begun,
		EndTime: time.Now(), Model: answer.from.Params.Model, ModelID: answer.from.id, ModelGroup: asked.Model,
		Provider: answer.from.provider, APIBase: apiBase(answer.from), User: "default_user_id", CacheHit: hit,
		CacheKey: answer.cacheKey, Status: "success",
	}
}

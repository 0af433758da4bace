package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

// keyRequest has the members of LiteLLM's requests that the stack uses; another is refused.
type keyRequest struct {
	Key            *string   `json:"key"`
	Alias          *string   `json:"key_alias"`
	Models         *[]string `json:"models"`
	MaxBudget      *float64  `json:"max_budget"`
	BudgetDuration *string   `json:"budget_duration"`
	Keys           []string  `json:"keys"`
	Aliases        []string  `json:"key_aliases"`
}

// hashed is what a key is kept by; a hash stays what it is.
func hashed(key string) string {
	if strings.HasPrefix(key, "sk-") {
		return sha256Hex(key)
	}
	return key
}

func (p *proxy) readKeyRequest(w http.ResponseWriter, r *http.Request) (keyRequest, bool) {
	var asked keyRequest
	if err := serve.Read(r, &asked); err != nil {
		fail(w, failure{400, "the sandbox's fake of LiteLLM: " + err.Error(), "bad_request_error", "None"})
		return asked, false
	}
	if asked.BudgetDuration != nil && *asked.BudgetDuration != "1d" {
		fail(w, failure{400, "the sandbox's fake of LiteLLM knows the budget_duration 1d alone", "bad_request_error", "budget_duration"})
		return asked, false
	}
	return asked, true
}

func (p *proxy) keyGenerate(w http.ResponseWriter, r *http.Request) {
	asked, fine := p.readKeyRequest(w, r)
	if !fine {
		return
	}
	key := "sk-" + randomText(22)
	if asked.Key != nil {
		key = *asked.Key
	}
	if !strings.HasPrefix(key, "sk-") {
		fail(w, failure{400, "Invalid key format. LiteLLM Virtual Key must start with 'sk-'.", "bad_request_error", "None"})
		return
	}
	if len(key) < 16 {
		fail(w, failure{400, "Invalid key format. LiteLLM Virtual Key must be at least 16 characters long.", "bad_request_error", "None"})
		return
	}
	if p.aliasTaken(w, r.Context(), asked.Alias, "") {
		return
	}
	name := abbreviated(key)
	made := Key{Token: hashed(key), Name: &name, Alias: asked.Alias, Models: []string{}, MaxBudget: asked.MaxBudget, BudgetDuration: asked.BudgetDuration}
	if asked.Models != nil {
		made.Models = *asked.Models
	}
	if asked.BudgetDuration != nil {
		made.BudgetResetAt = pointer(p.config.midnight())
	}
	_, err := p.database.pool.Exec(r.Context(), `INSERT INTO "LiteLLM_VerificationToken"
		(token, key_name, key_alias, models, max_budget, budget_duration, budget_reset_at, user_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'default_user_id')`,
		made.Token, name, made.Alias, made.Models, made.MaxBudget, made.BudgetDuration, made.BudgetResetAt)
	if err != nil {
		failInside(w, err)
		return
	}
	p.keyAnswer(w, r.Context(), made.Token, map[string]any{"key": key, "token": made.Token})
}

func (p *proxy) keyUpdate(w http.ResponseWriter, r *http.Request) {
	asked, fine := p.readKeyRequest(w, r)
	if !fine {
		return
	}
	if asked.Key == nil {
		fail(w, failure{400, "either key or key_alias must be provided", "bad_request_error", "key"})
		return
	}
	token := hashed(*asked.Key)
	found, err := p.database.key(r.Context(), token)
	if err != nil {
		failInside(w, err)
		return
	}
	if found == nil {
		fail(w, failure{404, "Key not found.", "not_found_error", "key"})
		return
	}
	if p.aliasTaken(w, r.Context(), asked.Alias, token) {
		return
	}
	var resetAt *time.Time
	if asked.BudgetDuration != nil {
		resetAt = pointer(p.config.midnight())
	}
	_, err = p.database.pool.Exec(r.Context(), `UPDATE "LiteLLM_VerificationToken" SET
		key_alias = coalesce($2, key_alias), models = coalesce($3, models), max_budget = coalesce($4, max_budget),
		budget_duration = coalesce($5, budget_duration), budget_reset_at = coalesce($6, budget_reset_at), updated_at = now()
		WHERE token = $1`, token, asked.Alias, asked.Models, asked.MaxBudget, asked.BudgetDuration, resetAt)
	if err != nil {
		failInside(w, err)
		return
	}
	p.keyAnswer(w, r.Context(), token, map[string]any{"key": *asked.Key})
}

// aliasTaken answers 400 when another key has that name.
func (p *proxy) aliasTaken(w http.ResponseWriter, ctx context.Context, alias *string, token string) bool {
	if alias == nil {
		return false
	}
	others, err := p.database.keys(ctx, "key_alias = $1 AND token <> $2", *alias, token)
	if err != nil {
		failInside(w, err)
		return true
	}
	if len(others) == 0 {
		return false
	}
	message := fmt.Sprintf("Key with alias '%s' already exists. Unique key aliases across all keys are required.", *alias)
	fail(w, failure{400, message, "bad_request_error", "key_alias"})
	return true
}

// keyAnswer tells a key's row together with more.
func (p *proxy) keyAnswer(w http.ResponseWriter, ctx context.Context, token string, more map[string]any) {
	found, err := p.database.key(ctx, token)
	if err != nil || found == nil {
		failInside(w, err)
		return
	}
	text, _ := json.Marshal(found)
	answer := map[string]any{}
	_ = json.Unmarshal(text, &answer)
	for name, value := range more {
		answer[name] = value
	}
	p.tellBudgets(ctx)
	serve.JSON(w, http.StatusOK, answer)
}

func (p *proxy) keyInfo(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query().Get("key")
	if asked == "" {
		asked = callerOf(r).token
	}
	if caller := callerOf(r); !caller.admin && hashed(asked) != caller.token {
		fail(w, failure{403, "You are not allowed to access this key's info. Your role=internal_user", "auth_error", "None"})
		return
	}
	found, err := p.database.key(r.Context(), hashed(asked))
	if err != nil {
		failInside(w, err)
	} else if found == nil {
		fail(w, failure{404, "Key not found in database", "not_found_error", "key"})
	} else {
		serve.JSON(w, http.StatusOK, map[string]any{"key": asked, "info": found})
	}
}

func (p *proxy) keyDelete(w http.ResponseWriter, r *http.Request) {
	asked, fine := p.readKeyRequest(w, r)
	if !fine {
		return
	}
	tokens := make([]string, len(asked.Keys))
	for i, key := range asked.Keys {
		tokens[i] = hashed(key)
	}
	_, err := p.database.pool.Exec(r.Context(),
		`DELETE FROM "LiteLLM_VerificationToken" WHERE token = ANY($1) OR key_alias = ANY($2)`, tokens, asked.Aliases)
	if err != nil {
		failInside(w, err)
		return
	}
	p.tellBudgets(r.Context())
	serve.JSON(w, http.StatusOK, map[string]any{"deleted_keys": append(asked.Keys, asked.Aliases...)})
}

func (p *proxy) keyList(w http.ResponseWriter, r *http.Request) {
	found, err := p.database.keys(r.Context(), "$1 = '' OR key_alias = $1", r.URL.Query().Get("key_alias"))
	if err != nil {
		failInside(w, err)
		return
	}
	tokens := []string{}
	for _, each := range found {
		tokens = append(tokens, each.Token)
	}
	serve.JSON(w, http.StatusOK, map[string]any{"keys": tokens, "total_count": len(tokens), "current_page": 1, "total_pages": 1})
}

func abbreviated(key string) string {
	if len(key) < 16 {
		return "sk-..."
	}
	return "sk-..." + key[len(key)-4:]
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// proxyBudget is the user that LiteLLM books the whole proxy's spending on.
const proxyBudget = "litellm-proxy-budget"

// Tables, and those of their columns that mean something here, as LiteLLM calls them.
const migration = `
CREATE TABLE IF NOT EXISTS "LiteLLM_VerificationToken" (
  token text PRIMARY KEY, key_name text, key_alias text, spend double precision NOT NULL DEFAULT 0,
  models text[] NOT NULL DEFAULT '{}', metadata jsonb NOT NULL DEFAULT '{}', blocked boolean, user_id text, team_id text,
  max_budget double precision, budget_duration text, budget_reset_at timestamptz(3), expires timestamptz(3),
  created_at timestamptz(3) DEFAULT now(), updated_at timestamptz(3) DEFAULT now(), last_active timestamptz(3));
CREATE TABLE IF NOT EXISTS "LiteLLM_UserTable" (
  user_id text PRIMARY KEY, max_budget double precision, spend double precision NOT NULL DEFAULT 0,
  budget_duration text, budget_reset_at timestamptz(3),
  created_at timestamptz(3) DEFAULT now(), updated_at timestamptz(3) DEFAULT now());
CREATE TABLE IF NOT EXISTS "LiteLLM_SpendLogs" (
  request_id text PRIMARY KEY, call_type text NOT NULL, api_key text NOT NULL DEFAULT '',
  spend double precision NOT NULL DEFAULT 0, total_tokens integer NOT NULL DEFAULT 0,
  prompt_tokens integer NOT NULL DEFAULT 0, completion_tokens integer NOT NULL DEFAULT 0,
  "startTime" timestamptz(3) NOT NULL, "endTime" timestamptz(3) NOT NULL, request_duration_ms integer,
  model text NOT NULL DEFAULT '', model_id text, model_group text, custom_llm_provider text, api_base text,
  "user" text, cache_hit text, cache_key text, status text,
  created_at timestamptz(3) NOT NULL DEFAULT now(), updated_at timestamptz(3) NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS "LiteLLM_SpendLogs_startTime_idx" ON "LiteLLM_SpendLogs" ("startTime");
`

// Key is a virtual key: its row, without the key itself, which nobody keeps.
type Key struct {
	Token          string     `json:"-"`
	Name           *string    `json:"key_name"`
	Alias          *string    `json:"key_alias"`
	Spend          float64    `json:"spend"`
	Models         []string   `json:"models"`
	MaxBudget      *float64   `json:"max_budget"`
	BudgetDuration *string    `json:"budget_duration"`
	BudgetResetAt  *time.Time `json:"budget_reset_at"`
	UserID         *string    `json:"user_id"`
	Blocked        *bool      `json:"blocked"`
	CreatedAt      *time.Time `json:"created_at"`
	UpdatedAt      *time.Time `json:"updated_at"`
}

const keyColumns = `token, key_name, key_alias, spend, models, max_budget, budget_duration, budget_reset_at, user_id,
  blocked, created_at, updated_at`

type database struct{ pool *pgxpool.Pool }

// openDatabase waits a while for the server, as LiteLLM tries its migrations several times.
func openDatabase(ctx context.Context, c *config) (*database, error) {
	settings, err := pgxpool.ParseConfig(c.General.DatabaseURL)
	if err != nil {
		// Its text holds the address, and that the password.
		return nil, errors.New("DATABASE_URL is no address of a PostgreSQL database")
	}
	if c.General.PoolLimit > 0 {
		settings.MaxConns = c.General.PoolLimit
	}
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, err
	}
	limit, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	for {
		_, err = pool.Exec(limit, migration)
		if err == nil {
			break
		}
		select {
		case <-limit.Done():
			return nil, fmt.Errorf("Database setup failed after multiple retries: %w", err)
		case <-time.After(time.Second):
		}
	}
	d := &database{pool}
	if c.Settings.MaxBudget > 0 {
		_, err = pool.Exec(ctx, `INSERT INTO "LiteLLM_UserTable" (user_id, max_budget, budget_duration, budget_reset_at)
			VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET max_budget = $2, budget_duration = $3, updated_at = now()`,
			proxyBudget, c.Settings.MaxBudget, c.Settings.BudgetDuration, c.midnight())
	}
	return d, err
}

// resetBudgets begins a new day for whoever's is over.
func (d *database) resetBudgets(ctx context.Context, next time.Time) error {
	for _, table := range []string{"LiteLLM_VerificationToken", "LiteLLM_UserTable"} {
		_, err := d.pool.Exec(ctx, `UPDATE "`+table+`" SET spend = 0, budget_reset_at = $1 WHERE budget_reset_at <= now()`, next)
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *database) proxySpend(ctx context.Context) (spent float64, err error) {
	err = d.pool.QueryRow(ctx, `SELECT spend FROM "LiteLLM_UserTable" WHERE user_id = $1`, proxyBudget).Scan(&spent)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return
}

func (d *database) keys(ctx context.Context, where string, values ...any) ([]Key, error) {
	rows, err := d.pool.Query(ctx, `SELECT `+keyColumns+` FROM "LiteLLM_VerificationToken" WHERE `+where, values...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Key])
}

// key is the one with that hash, or nil.
func (d *database) key(ctx context.Context, token string) (*Key, error) {
	found, err := d.keys(ctx, "token = $1", token)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// book writes one request's log and adds what it cost to its key and to the whole. LiteLLM does so every ten seconds.
func (d *database) book(ctx context.Context, log spendLog) error {
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO "LiteLLM_SpendLogs" (request_id, call_type, api_key, spend, total_tokens,
			prompt_tokens, completion_tokens, "startTime", "endTime", request_duration_ms, model, model_id, model_group,
			custom_llm_provider, api_base, "user", cache_hit, cache_key, status)
			VALUES ($1, 'acompletion', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
			ON CONFLICT (request_id) DO NOTHING`,
			log.RequestID, log.APIKey, log.Spend, log.TotalTokens, log.PromptTokens, log.CompletionTokens, log.StartTime,
			log.EndTime, log.EndTime.Sub(log.StartTime).Milliseconds(), log.Model, log.ModelID, log.ModelGroup,
			log.Provider, log.APIBase, log.User, log.CacheHit, log.CacheKey, log.Status)
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE "LiteLLM_VerificationToken" SET spend = spend + $2, last_active = now() WHERE token = $1`,
				log.APIKey, log.Spend)
		}
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE "LiteLLM_UserTable" SET spend = spend + $2, updated_at = now() WHERE user_id = $1`,
				proxyBudget, log.Spend)
		}
		return err
	})
}

// spendLog is one request, as /spend/logs tells it.
type spendLog struct {
	RequestID        string    `json:"request_id"`
	CallType         string    `json:"call_type"`
	APIKey           string    `json:"api_key"`
	Spend            float64   `json:"spend"`
	TotalTokens      int       `json:"total_tokens"`
	PromptTokens     int       `json:"prompt_tokens"`
	CompletionTokens int       `json:"completion_tokens"`
	StartTime        time.Time `json:"startTime"`
	EndTime          time.Time `json:"endTime"`
	Model            string    `json:"model"`
	ModelID          string    `json:"model_id"`
	ModelGroup       string    `json:"model_group"`
	Provider         string    `json:"custom_llm_provider"`
	APIBase          string    `json:"api_base"`
	User             string    `json:"user"`
	CacheHit         string    `json:"cache_hit"`
	CacheKey         string    `json:"cache_key"`
	Status           string    `json:"status"`
}

func (d *database) logs(ctx context.Context, apiKey, requestID string) ([]spendLog, error) {
	rows, err := d.pool.Query(ctx, `SELECT request_id, call_type, api_key, spend, total_tokens, prompt_tokens,
		completion_tokens, "startTime", "endTime", model, model_id, model_group, custom_llm_provider, api_base, "user",
		cache_hit, cache_key, status FROM "LiteLLM_SpendLogs"
		WHERE ($1 = '' OR api_key = $1) AND ($2 = '' OR request_id = $2) ORDER BY "startTime" DESC LIMIT 10000`, apiKey, requestID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[spendLog])
}

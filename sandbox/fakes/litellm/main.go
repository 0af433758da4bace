// A fake of LiteLLM's proxy; see the README beside this file.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

// Variables of LiteLLM that this stack sets, and what each asks for is so here anyhow or has no meaning here.
var variables = []string{
	"LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "LITELLM_MODE", "LITELLM_LOG", "LITELLM_LOCAL_MODEL_COST_MAP",
	"LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "LITELLM_LOCAL_BLOG_POSTS", "LITELLM_LOCAL_POLICY_TEMPLATES",
	"DATABASE_URL", "REDIS_PASSWORD", "UI_USERNAME", "UI_PASSWORD", "PROXY_BASE_URL",
}

type proxy struct {
	*serve.Fake
	config   *config
	database *database
	redis    *redis
	metrics  *serve.Metrics
	client   *http.Client
}

// caller is who asks: the master key's holder, or a virtual key's.
type caller struct {
	admin               bool
	key                 *Key
	token, label, alias string
}

type callerKey struct{}

func callerOf(r *http.Request) caller {
	found, _ := r.Context().Value(callerKey{}).(caller)
	return found
}

func main() {
	fake := serve.New("LiteLLM", "no interface, no embeddings, no tools, one day's budgets only; the README says more")
	port, path, err := arguments(os.Args[1:])
	if err != nil {
		serve.Fail(err)
	}
	if err := serve.UnknownVariables([]string{"LITELLM_", "DATABASE_", "REDIS_", "UI_", "PROXY_"}, variables); err != nil {
		serve.Fail(err)
	}
	if os.Getenv("LITELLM_SALT_KEY") == "" {
		serve.Fail(fmt.Errorf("LITELLM_SALT_KEY is not set: LiteLLM would take the master key, and never be able to change it"))
	}
	read, err := readConfig(path)
	if err != nil {
		serve.Fail(err)
	}
	p := &proxy{Fake: fake, config: read, metrics: serve.NewMetrics(), client: &http.Client{}}
	if p.database, err = openDatabase(context.Background(), read); err != nil {
		serve.Fail(err)
	}
	if read.Settings.Cache {
		p.redis = &redis{params: read.Settings.CacheParams}
		if err := p.redis.checkRights(); err != nil {
			serve.Fail(err)
		}
	}
	p.tellBudgets(context.Background())
	p.Run(p.Handle(p.routes()), p.watchBudgets, ":"+port)
}

func arguments(words []string) (port, path string, err error) {
	port = "4000"
	for i := 0; i+1 < len(words); i += 2 {
		switch words[i] {
		case "--port":
			port = words[i+1]
		case "--config":
			path = words[i+1]
		default:
			return "", "", fmt.Errorf("No such option: %s", words[i])
		}
	}
	if len(words)%2 != 0 || path == "" {
		err = fmt.Errorf("this fake wants --config <file> and --port <number>, not %q", words)
	}
	return
}

func (p *proxy) watchBudgets(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(5 * time.Second):
		}
		if err := p.database.resetBudgets(ctx, p.config.midnight()); err != nil {
			serve.Say("budgets: %v", err)
			continue
		}
		p.tellBudgets(ctx)
	}
}

func (p *proxy) routes() *http.ServeMux {
	mux := http.NewServeMux()
	alive := func(w http.ResponseWriter, _ *http.Request) { serve.JSON(w, http.StatusOK, "I'm alive!") }
	mux.HandleFunc("GET /health/liveliness", alive)
	mux.HandleFunc("GET /health/liveness", alive)
	mux.HandleFunc("GET /health/readiness", p.readiness)
	mux.HandleFunc("GET /health", p.known(p.health))
	for _, prefix := range []string{"", "/v1"} {
		mux.HandleFunc("GET "+prefix+"/models", p.known(p.models))
		mux.HandleFunc("POST "+prefix+"/chat/completions", p.known(p.completions))
	}
	mux.HandleFunc("POST /key/generate", p.admin(p.keyGenerate))
	mux.HandleFunc("POST /key/update", p.admin(p.keyUpdate))
	mux.HandleFunc("POST /key/delete", p.admin(p.keyDelete))
	mux.HandleFunc("GET /key/list", p.admin(p.keyList))
	mux.HandleFunc("GET /key/info", p.known(p.keyInfo))
	mux.HandleFunc("GET /spend/logs", p.admin(p.spendLogs))
	mux.HandleFunc("GET /global/spend", p.admin(p.globalSpend))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html>\n<html lang=\"en\"><head><title>LiteLLM (sandbox fake)</title></head>\n"+
			"<body><h1>LiteLLM %s</h1><p>A fake of LiteLLM for the sandbox: it has no interface.</p></body></html>\n", p.version())
	})
	if len(p.config.Settings.Callbacks) > 0 {
		tell := p.metrics.WithProcess(p.Started).ServeHTTP
		if open := p.config.Settings.RequireAuthForMetrics; open == nil || *open {
			tell = p.known(tell)
		}
		mux.Handle("GET /metrics", http.RedirectHandler("/metrics/", http.StatusTemporaryRedirect))
		mux.HandleFunc("GET /metrics/{$}", tell)
	}
	return mux
}

func (p *proxy) version() string { return strings.TrimPrefix(p.Version, "v") }

// known lets in who has a key.
func (p *proxy) known(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, refusal := p.identify(r)
		if refusal != nil {
			fail(w, *refusal)
			return
		}
		next(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, who)))
	}
}

// admin lets in who has the master key.
func (p *proxy) admin(next http.HandlerFunc) http.HandlerFunc {
	return p.known(func(w http.ResponseWriter, r *http.Request) {
		if callerOf(r).admin {
			next(w, r)
			return
		}
		message := "Authentication Error, Only proxy admin can be used to generate, delete, update info for new keys/users/teams. Route=" + r.URL.Path + ". Your role=unknown"
		fail(w, failure{401, message, "auth_error", "None"})
	})
}

func (p *proxy) identify(r *http.Request) (caller, *failure) {
	given := serve.Bearer(r)
	if serve.Same(given, p.config.General.MasterKey) {
		return caller{admin: true, token: sha256Hex(given), label: "litellm_proxy_master_key", alias: "None"}, nil
	}
	refuse := func(message string) (caller, *failure) {
		return caller{}, &failure{401, "Authentication Error, " + message, "auth_error", "None"}
	}
	if given == "" {
		return refuse("No api key passed in.")
	}
	if !strings.HasPrefix(given, "sk-") {
		return refuse("LiteLLM Virtual Key expected. Received=****, expected to start with 'sk-'.")
	}
	token := sha256Hex(given)
	key, err := p.database.key(r.Context(), token)
	if err != nil {
		return caller{}, &failure{503, "DB not connected", "no_db_connection", "None"}
	}
	if key == nil {
		message := fmt.Sprintf("Authentication Error, Invalid proxy server token passed. Received API Key = %s, Key Hash (Token) =%s. Unable to find token in cache or `LiteLLM_VerificationTokenTable`", abbreviated(given), token)
		return caller{}, &failure{401, message, "token_not_found_in_db", "key"}
	}
	alias := "None"
	if key.Alias != nil {
		alias = *key.Alias
	}
	return caller{key: key, token: token, label: token, alias: alias}, nil
}

func pointer[T any](value T) *T { return &value }

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func randomText(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

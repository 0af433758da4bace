// A fake of OpenClaw's gateway; see the README beside this file.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"vpai.sandbox/fakes/serve"
)

// Variables of OpenClaw that this stack sets.
var variables = []string{
	"OPENCLAW_CONFIG_PATH", "OPENCLAW_STATE_DIR", "OPENCLAW_CONFIG_READONLY", "OPENCLAW_NO_AUTO_UPDATE",
	"OPENCLAW_DISABLE_BONJOUR", "OPENCLAW_GATEWAY_TOKEN",
}

// wrongConfig is what OpenClaw exits with over a configuration that it refuses.
const wrongConfig = 78

type gateway struct {
	*serve.Fake
	config  Config
	session string
	mu      sync.Mutex
	client  *http.Client
}

func main() {
	config := func() Config {
		path, _ := places()
		config, err := readConfig(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(wrongConfig)
		}
		return config
	}
	words := os.Args[1:]
	switch {
	case len(words) == 1 && words[0] == "gateway", len(words) == 2 && words[0] == "gateway" && words[1] == "run":
		run(config)
	case len(words) == 2 && words[0] == "config" && words[1] == "validate":
		config()
		path, _ := places()
		fmt.Println("Config valid:", path)
	case len(words) > 0 && words[0] == "agent":
		agent(config(), words[1:])
	default:
		fmt.Fprintf(os.Stderr, "The fake of OpenClaw knows the commands gateway, config validate and agent, not %q\n", words)
		os.Exit(2)
	}
}

func run(config func() Config) {
	fake := serve.New("OpenClaw", "no interface, no channels, no tools, no devices; the README says more")
	if err := serve.UnknownVariables([]string{"OPENCLAW_"}, variables); err != nil {
		serve.Fail(err)
	}
	g := &gateway{Fake: fake, config: config(), client: &http.Client{Timeout: 2 * time.Minute}}
	_, state := places()
	for _, directory := range []string{"agents/main/sessions", "state", "workspace"} {
		if err := os.MkdirAll(filepath.Join(state, directory), 0o700); err != nil {
			serve.Fail(err)
		}
	}
	// OpenClaw's database is SQLite's; of this one only the name is true.
	database := filepath.Join(state, "state/openclaw.sqlite")
	if err := os.WriteFile(database, []byte("The fake of OpenClaw keeps its session elsewhere.\n"), 0o600); err != nil {
		serve.Fail(err)
	}
	g.session = filepath.Join(state, "agents/main/sessions/main.jsonl")
	if _, err := g.history(); err != nil {
		serve.Fail(err)
	}
	if len(g.config.Channels) > 0 {
		serve.Say("[telegram] configured; this fake does not talk to Telegram")
	}
	serve.Say("[gateway] agent model: %s", g.config.Agents.Defaults.Model.Primary)
	host := map[bool]string{true: "127.0.0.1"}[g.config.Gateway.Bind == "loopback"]
	address := host + ":" + strconv.Itoa(g.config.Gateway.Port)
	serve.Say("[gateway] ready on %s", address)
	g.Run(g.routes(), func(ctx context.Context) error { <-ctx.Done(); return nil }, address)
}

const page = "<!doctype html>\n<html lang=\"en\"><head><title>OpenClaw Control (sandbox fake)</title></head>\n" +
	"<body><h1>OpenClaw %s</h1><p>A fake of OpenClaw's gateway for the sandbox: it has no interface.</p></body></html>\n"

func (g *gateway) routes() http.Handler {
	mux := http.NewServeMux()
	for _, paths := range []struct {
		names []string
		body  any
	}{
		{[]string{"health", "healthz"}, map[string]any{"ok": true, "status": "live"}},
		{[]string{"startup", "startupz"}, map[string]any{"ok": true, "status": "started"}},
		{[]string{"ready", "readyz"}, map[string]any{"ready": true}},
	} {
		for _, name := range paths.names {
			mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
				// Seen with 2026.9.6: all but the first are for the container itself.
				if from, _, _ := net.SplitHostPort(r.RemoteAddr); paths.names[0] != "health" && !net.ParseIP(from).IsLoopback() {
					http.Error(w, "Forbidden", http.StatusForbidden)
					return
				}
				serve.JSON(w, http.StatusOK, paths.body)
			})
		}
	}
	mux.HandleFunc("GET /control-ui-config.json", func(w http.ResponseWriter, r *http.Request) {
		if !serve.Same(serve.Bearer(r), g.config.Gateway.Auth.Token) {
			serve.JSON(w, http.StatusUnauthorized, map[string]any{"error": map[string]any{"message": "Unauthorized", "type": "unauthorized"}})
			return
		}
		serve.JSON(w, http.StatusOK, map[string]any{"basePath": "", "sandboxFake": true})
	})
	none := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "Not Found", http.StatusNotFound) }
	mux.HandleFunc("/v1/", none)
	mux.HandleFunc("/api/", none)
	// P21: any other address is answered with the interface, whatever state the gateway is in.
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			none(w, r)
		case r.Header.Get("Upgrade") != "":
			g.socket(w, r)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, page, g.Version)
		}
	})
	return mux
}

// A fake of Grafana: reads what it is provisioned with, strictly, and hands queries on to the sources. See README.md.
package main

import (
	"fmt"
	"html"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vpai.sandbox/fakes/serve"
)

type grafana struct {
	fake        *serve.Fake
	settings    *settings
	provisioned *provisioned
	state       *state
	metrics     *serve.Metrics
	mu          sync.Mutex
	sessions    map[string]bool
}

func main() {
	fake := serve.New("Grafana", "lists dashboards and passes queries on, and draws nothing")
	if !slices.Equal(os.Args[1:], []string{"server"}) {
		serve.Fail(fmt.Errorf("this fake of Grafana does `server` alone, without options"))
	}
	settings, err := readSettings()
	if err != nil {
		serve.Fail(err)
	}
	provisioned, err := readProvisioning(settings)
	if err != nil {
		serve.Fail(err)
	}
	state, err := openState(settings)
	if err != nil {
		serve.Fail(err)
	}
	g := &grafana{fake: fake, settings: settings, provisioned: provisioned, state: state, metrics: serve.NewMetrics(), sessions: map[string]bool{}}
	fake.Run(g.observed(fake.Handle(g.routes())), provisioned.watch, ":"+settings.port)
}

func (g *grafana) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/health", g.health)
	mux.HandleFunc("GET /login", g.loginPage)
	mux.HandleFunc("POST /login", g.login)
	for pattern, call := range map[string]http.HandlerFunc{
		"GET /api/user":                                   g.user,
		"GET /api/datasources":                            g.datasources,
		"GET /api/datasources/uid/{uid}":                  g.datasource,
		"GET /api/datasources/proxy/uid/{uid}/{path...}":  g.proxy,
		"POST /api/datasources/proxy/uid/{uid}/{path...}": g.proxy,
		"GET /api/search":                                 g.search,
		"GET /api/dashboards/uid/{uid}":                   g.dashboard,
		"POST /api/dashboards/db":                         g.saveDashboard,
		"GET /{$}":                                        g.homePage,
		"GET /d/{uid}/{slug}":                             g.dashboardPage,
	} {
		mux.HandleFunc(pattern, g.guarded(call))
	}
	if g.settings.metrics {
		g.metrics.Set("grafana_build_info", 1, "branch", "fake", "edition", "oss", "goversion", runtime.Version(), "revision", "fake", "version", g.fake.Version)
		g.metrics.Set("grafana_stat_total_users", 1)
		g.metrics.Set("grafana_stat_totals_datasource", float64(len(g.provisioned.datasources)), "plugin_id", "")
		told := g.metrics.WithProcess(g.fake.Started)
		mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
			g.metrics.Set("grafana_stat_totals_dashboard", float64(len(g.all())))
			told.ServeHTTP(w, r)
		})
	}
	return mux
}

func page(w http.ResponseWriter, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	fmt.Fprintf(w, "<!doctype html><meta charset=utf-8><title>%s - Grafana (sandbox fake)</title><h1>%[1]s</h1>%s\n", html.EscapeString(title), body)
}

func (g *grafana) loginPage(w http.ResponseWriter, _ *http.Request) {
	page(w, "Welcome to Grafana", "<p>This is the sandbox's fake: it lists dashboards and draws nothing.</p><form method=post action=/login><input name=user placeholder=user autofocus> <input name=password type=password placeholder=password> <button>Log in</button></form>")
}

func (g *grafana) homePage(w http.ResponseWriter, _ *http.Request) {
	var list strings.Builder
	for _, each := range g.all() {
		fmt.Fprintf(&list, "<li><a href=%q>%s</a>", each.path(), html.EscapeString(each.Title))
	}
	page(w, "Dashboards", "<ul>"+list.String()+"</ul>")
}

func (g *grafana) dashboardPage(w http.ResponseWriter, r *http.Request) {
	one := g.find(r.PathValue("uid"))
	if one == nil {
		http.Error(w, "Dashboard not found", http.StatusNotFound)
		return
	}
	var list strings.Builder
	for _, each := range one.Panels {
		fmt.Fprintf(&list, "<h2>%s</h2>", html.EscapeString(each.Title))
		for _, target := range each.Targets {
			fmt.Fprintf(&list, "<pre>%s: %s</pre>", html.EscapeString(target.Datasource.UID), html.EscapeString(target.Expr))
		}
	}
	page(w, one.Title, list.String())
}

// observed counts requests under Grafana's names; a handler is its route.
func (g *grafana) observed(next http.Handler) http.Handler {
	return serve.Observed(next, func(r *http.Request, status int, took time.Duration) {
		_, handler, _ := strings.Cut(r.Pattern, " ")
		if handler == "" {
			handler = "notfound"
		}
		code := strconv.Itoa(status)
		labels := []string{"handler", handler, "method", r.Method, "status_code", code}
		g.metrics.Add("grafana_http_request_duration_seconds_count", 1, labels...)
		g.metrics.Add("grafana_http_request_duration_seconds_sum", took.Seconds(), labels...)
		if strings.HasPrefix(r.URL.Path, "/api/") {
			g.metrics.Add("grafana_api_response_status_total", 1, "code", code)
		} else {
			g.metrics.Add("grafana_page_response_status_total", 1, "code", code)
		}
	})
}

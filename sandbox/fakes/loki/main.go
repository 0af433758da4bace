// A fake of Loki: takes lines, keeps them on disk, and answers a part of LogQL. See README.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

// tenant is what Loki calls everybody while auth_enabled is false.
const tenant = "fake"

type loki struct {
	config  *config
	store   *store
	metrics *serve.Metrics
}

func main() {
	var file, target, url string
	var health, verify bool
	flag.StringVar(&file, "config.file", "", "configuration file")
	flag.StringVar(&target, "target", "all", "modules to run; the fake has all or none")
	flag.BoolVar(&verify, "verify-config", false, "verify the configuration and end")
	flag.BoolVar(&health, "health", false, "ask a running Loki whether it is ready, and end")
	flag.StringVar(&url, "health.url", "http://localhost:3100/ready", "where -health asks")
	flag.Parse()
	if health {
		os.Exit(askHealth(url))
	}
	fake := serve.New("Loki", "answers selections, line filters and counts of LogQL alone")
	if target != "all" {
		serve.Fail(fmt.Errorf("-target=%s: this fake has all modules or none", target))
	}
	config, err := readConfig(file)
	if err != nil {
		serve.Fail(err)
	}
	if verify {
		fmt.Println("config is valid")
		return
	}
	store, err := openStore(config.chunks())
	if err != nil {
		serve.Fail(err)
	}
	l := &loki{config: config, store: store, metrics: serve.NewMetrics()}
	l.metrics.Set("loki_build_info", 1, "branch", "fake", "goversion", runtime.Version(), "revision", "fake", "version", fake.Version)
	l.metrics.Set("loki_ingester_memory_streams", float64(store.count()), "tenant", tenant)
	for _, name := range []string{"loki_distributor_lines_received_total", "loki_distributor_bytes_received_total"} {
		l.metrics.Add(name, 0, "tenant", tenant)
	}
	address := ":" + strconv.Itoa(config.Server.HTTPListenPort)
	fake.Run(l.observed(fake.Handle(l.routes(fake))), l.compact, address)
}

// askHealth is `loki -health`: the image has nothing else to ask with.
func askHealth(url string) int {
	serve.HoldCheck("Loki")
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Health check failed: %v\n", err)
		return 1
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		fmt.Fprintf(os.Stderr, "Loki is unhealthy: status code %d\n", response.StatusCode)
		return 1
	}
	fmt.Println("Loki is healthy")
	return 0
}

func (l *loki) routes(fake *serve.Fake) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /loki/api/v1/push", l.push)
	for _, method := range []string{"GET", "POST"} {
		mux.HandleFunc(method+" /loki/api/v1/query", loaded(fake, l.query))
		mux.HandleFunc(method+" /loki/api/v1/query_range", loaded(fake, l.queryRange))
		mux.HandleFunc(method+" /loki/api/v1/series", l.series)
	}
	mux.HandleFunc("GET /loki/api/v1/labels", l.labels)
	mux.HandleFunc("GET /loki/api/v1/label/{name}/values", l.labels)
	mux.HandleFunc("GET /loki/api/v1/status/buildinfo", func(w http.ResponseWriter, _ *http.Request) {
		serve.JSON(w, http.StatusOK, map[string]string{"version": fake.Version, "revision": "fake", "branch": "fake", "goVersion": runtime.Version()})
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	mux.Handle("GET /metrics", l.metrics.WithProcess(fake.Started))
	return mux
}

// loaded takes the memory that queries take.
func loaded(fake *serve.Fake, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		fake.Load()
		next(w, r)
	}
}

func (l *loki) labels(w http.ResponseWriter, r *http.Request) {
	var queries []*query
	if text := r.FormValue("query"); text != "" {
		q, err := parse(text)
		if err != nil {
			failed(w, err)
			return
		}
		queries = append(queries, q)
	}
	success(w, distinct(l.store.labelSets(queries), r.PathValue("name")))
}

func (l *loki) series(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		failed(w, err)
		return
	}
	var queries []*query
	for _, text := range append(r.Form["match[]"], r.Form["match"]...) {
		q, err := parse(text)
		if err != nil {
			failed(w, err)
			return
		}
		queries = append(queries, q)
	}
	success(w, l.store.labelSets(queries))
}

// compact deletes old lines now and at every interval, as Loki's compactor does.
func (l *loki) compact(ctx context.Context) error {
	every := time.NewTicker(max(time.Second, l.config.Compactor.CompactionInterval))
	defer every.Stop()
	for {
		if l.config.Compactor.RetentionEnabled {
			if err := l.store.expire(time.Now().Add(-l.config.LimitsConfig.RetentionPeriod)); err != nil {
				return err
			}
			l.metrics.Set("loki_compactor_apply_retention_last_successful_run_timestamp_seconds", float64(time.Now().Unix()))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// observed counts requests and their time under Loki's names.
func (l *loki) observed(next http.Handler) http.Handler {
	return serve.Observed(next, func(r *http.Request, status int, took time.Duration) {
		_, pattern, _ := strings.Cut(r.Pattern, " ")
		route := strings.Trim(strings.NewReplacer("/", "_", "{", "", "}", "").Replace(pattern), "_")
		if route == "" {
			route = "other"
		}
		labels := []string{"method", r.Method, "route", route, "status_code", strconv.Itoa(status), "ws", "false"}
		l.metrics.Observe("loki_request_duration_seconds", took.Seconds(), []float64{0.005, 0.025, 0.1, 0.5, 1, 2.5, 10}, labels...)
	})
}

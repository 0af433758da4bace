// A double of Alloy: reads its configuration, scrapes, and follows containers' logs. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"vpai.sandbox/doubles/serve"
)

type alloy struct {
	double  *serve.Double
	metrics *serve.Metrics
	config  *configuration
	remotes map[string]*remote
	sources []*logSource
}

type options struct{ listen, storage, config string }

// readOptions takes `run`, flags and one path, in whatever order after `run`.
func readOptions(args []string) (o options, err error) {
	if len(args) == 0 || args[0] != "run" {
		return o, errors.New("this double of Alloy does `run` alone")
	}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.StringVar(&o.listen, "server.http.listen-addr", "127.0.0.1:12345", "")
	flags.StringVar(&o.storage, "storage.path", "data-alloy/", "")
	flags.Bool("disable-reporting", false, "")
	for rest := args[1:]; len(rest) > 0; {
		if err := flags.Parse(rest); err != nil {
			return o, err
		}
		if rest = flags.Args(); len(rest) > 0 {
			if o.config != "" {
				return o, fmt.Errorf("one path, not %s too", rest[0])
			}
			o.config, rest = rest[0], rest[1:]
		}
	}
	if o.config == "" {
		return o, errors.New("a path to the configuration is missing")
	}
	return o, nil
}

func main() {
	double := serve.New("Alloy", "has the components of this stack alone, and keeps samples in memory until they are sent")
	o, err := readOptions(os.Args[1:])
	if err != nil {
		serve.Fail(err)
	}
	config, err := readConfig(o.config)
	if err != nil {
		serve.Fail(fmt.Errorf("could not perform the initial load successfully: %w", err))
	}
	a := &alloy{double: double, metrics: serve.NewMetrics(), config: config, remotes: map[string]*remote{}}
	for id, args := range config.remoteWrites {
		a.remotes[id] = newRemote(id, args, a.metrics)
	}
	for id, args := range config.logSources {
		source, err := a.logSource(id, args, o.storage)
		if err != nil {
			serve.Fail(err)
		}
		a.sources = append(a.sources, source)
	}
	double.Run(double.Handle(a.routes()), a.run, o.listen)
}

// logSource joins a source of logs with the components that it names.
func (a *alloy) logSource(id string, args *logSourceArgs, storage string) (*logSource, error) {
	s := &logSource{host: args.Host, metrics: a.metrics, lines: make(chan entry, 100), listed: map[string]bool{}, followed: map[string]bool{}}
	targets := args.Targets
	if rules, ok := a.config.relabels[targets]; ok {
		s.rules, targets = rules.Rules, rules.Targets
	}
	discovery := a.config.discoveries[targets]
	if discovery == nil || len(args.ForwardTo) != 1 {
		return nil, fmt.Errorf("%s: this double of Alloy takes targets of discovery.docker and one receiver", id)
	}
	s.refresh = discovery.RefreshInterval
	s.url = a.config.logWrites[args.ForwardTo[0]].Endpoint.URL
	at, err := url.Parse(s.url)
	if err != nil {
		return nil, err
	}
	s.labels = []string{"component_id", id, "component_id", args.ForwardTo[0], "component_path", "/", "host", at.Host}
	for _, name := range []string{"loki_source_docker_target_entries_total", "loki_source_docker_target_parsing_errors_total"} {
		a.metrics.Add(name, 0, "component_id", id, "component_path", "/")
	}
	for _, name := range []string{"loki_write_sent_entries_total", "loki_write_sent_bytes_total", "loki_write_batch_retries_total"} {
		a.metrics.Add(name, 0, append(s.labels[2:], "tenant", "")...)
	}
	for _, reason := range []string{"ingester_error", "line_too_long", "rate_limited", "stream_limited"} {
		a.metrics.Add("loki_write_dropped_entries_total", 0, append(s.labels[2:], "reason", reason, "tenant", "")...)
	}
	s.positions, err = openPositions(filepath.Join(storage, id))
	return s, err
}

func (a *alloy) run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, each := range a.remotes {
		all.Go(func() { each.run(ctx) })
	}
	for _, each := range a.sources {
		all.Go(func() { each.discover(ctx) })
		all.Go(func() { each.write(ctx) })
	}
	for _, args := range a.config.scrapes {
		for _, target := range args.Targets {
			all.Go(func() { a.scrape(ctx, args, target) })
		}
	}
	all.Wait()
	return nil
}

func (a *alloy) routes() *http.ServeMux {
	a.metrics.Set("alloy_build_info", 1, "branch", "double", "goarch", runtime.GOARCH, "goos", runtime.GOOS, "goversion", runtime.Version(), "revision", "double", "tags", "", "version", a.double.Version)
	controller := []string{"controller_id", "", "controller_path", "/"}
	a.metrics.Set("alloy_component_controller_evaluating", 0, controller...)
	a.metrics.Set("alloy_component_controller_running_components", float64(a.config.components()), append(controller, "health_type", "healthy")...)
	a.metrics.Set("alloy_config_last_load_successful", 1)
	a.metrics.Set("alloy_config_last_load_success_timestamp_seconds", float64(time.Now().Unix()))
	a.metrics.Add("alloy_config_load_failures_total", 0)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Alloy is ready.") })
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "All Alloy components are healthy.")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		a.metrics.Set("alloy_resources_process_resident_memory_bytes", serve.ResidentBytes())
		a.metrics.Set("alloy_resources_process_cpu_seconds_total", serve.CPUSeconds())
		a.metrics.Set("alloy_resources_process_start_time_seconds", float64(a.double.Started.Unix()))
		a.metrics.Set("go_goroutines", float64(runtime.NumGoroutine()))
		a.metrics.ServeHTTP(w, r)
	})
	return mux
}

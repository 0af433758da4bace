// A fake of Alloy: reads its configuration, scrapes, and follows containers' logs. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"sync"

	"vpai.sandbox/fakes/serve"
)

type alloy struct {
	fake    *serve.Fake
	metrics *serve.Metrics
	options options
	works   map[string]work
	reloads chan reload

	mu      sync.Mutex
	remotes map[string]*remote
}

type options struct{ command, listen, storage, config string }

// readOptions takes `run` or `validate`, then one path, and flags of `run` in whatever order.
func readOptions(args []string) (o options, err error) {
	if len(args) == 0 || (args[0] != "run" && args[0] != "validate") {
		return o, errors.New("this fake of Alloy does `run` and `validate` alone")
	}
	o.command = args[0]
	if o.command == "validate" {
		if len(args) != 2 {
			return o, errors.New("validate takes a path to the configuration, and no flags in this fake of Alloy")
		}
		o.config = args[1]
		return o, nil
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
	fake := serve.New("Alloy", "has the components of this stack alone, and keeps samples in memory until they are sent")
	o, err := readOptions(os.Args[1:])
	if err != nil {
		serve.Fail(err)
	}
	config, err := readConfig(o.config)
	if err != nil {
		serve.Fail(fmt.Errorf("could not perform the initial load successfully: %w", err))
	}
	if o.command == "validate" {
		return
	}
	a := &alloy{fake: fake, metrics: serve.NewMetrics(), options: o, works: map[string]work{}, reloads: make(chan reload), remotes: map[string]*remote{}}
	fake.Run(fake.Handle(a.routes()), func(ctx context.Context) error { return a.run(ctx, config) }, o.listen)
}

func (a *alloy) routes() *http.ServeMux {
	a.metrics.Set("alloy_build_info", 1, "branch", "fake", "goarch", runtime.GOARCH, "goos", runtime.GOOS, "goversion", runtime.Version(), "revision", "fake", "tags", "", "version", a.fake.Version)
	a.metrics.Set("alloy_component_controller_evaluating", 0, "controller_id", "", "controller_path", "/")
	a.metrics.Add("alloy_config_load_failures_total", 0)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Alloy is ready.") })
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "All Alloy components are healthy.")
	})
	mux.HandleFunc("POST /-/reload", a.reload)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		a.metrics.Set("alloy_resources_process_resident_memory_bytes", serve.ResidentBytes())
		a.metrics.Set("alloy_resources_process_cpu_seconds_total", serve.CPUSeconds())
		a.metrics.Set("alloy_resources_process_start_time_seconds", float64(a.fake.Started.Unix()))
		a.metrics.Set("go_goroutines", float64(runtime.NumGoroutine()))
		a.metrics.ServeHTTP(w, r)
	})
	return mux
}

// A fake of cAdvisor: asks Docker what cAdvisor reads from control groups, and tells it under cAdvisor's names.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

// What `--enable_metrics` may ask of this fake; cAdvisor has more.
var kinds = []string{"cpu", "diskIO", "memory", "network"}

// The flags that it follows. Any other is refused by the flag package, as cAdvisor does.
type flags struct {
	labels       []string
	kinds        []string
	housekeeping time.Duration
}

func parseFlags() (flags, error) {
	flag.Bool("logtostderr", false, "log to standard error; the image's entrypoint sets it")
	dockerOnly := flag.Bool("docker_only", false, "only Docker's containers")
	allLabels := flag.Bool("store_container_labels", true, "every label of a container")
	labels := flag.String("whitelisted_container_labels", "", "labels of containers, with commas")
	metrics := flag.String("enable_metrics", "", "kinds of metrics, with commas")
	housekeeping := flag.Duration("housekeeping_interval", time.Second, "time between two looks at a container")
	dynamic := flag.Bool("allow_dynamic_housekeeping", true, "longer intervals for idle containers")
	flag.Duration("storage_duration", 2*time.Minute, "how long samples are kept; only the last is told")
	flag.Parse()
	var faults []error
	say := func(wrong bool, format string, values ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, values...))
		}
	}
	say(flag.NArg() > 0, "arguments that cAdvisor does not have: %s", strings.Join(flag.Args(), " "))
	say(!*dockerOnly, "docker_only is false; this fake does Docker's containers only")
	say(*allLabels, "store_container_labels is true; this fake does whitelisted labels only")
	say(*dynamic, "allow_dynamic_housekeeping is true; this fake does regular intervals only")
	say(*metrics == "", "enable_metrics is empty; this fake does %s only", strings.Join(kinds, ","))
	wanted := strings.Split(*metrics, ",")
	for _, kind := range wanted {
		say(kind != "" && !slices.Contains(kinds, kind), "unsupported metric %q specified; this fake does %s", kind, strings.Join(kinds, ","))
	}
	return flags{labels: strings.Split(*labels, ","), kinds: wanted, housekeeping: *housekeeping}, errors.Join(faults...)
}

func main() {
	wanted, err := parseFlags()
	if err != nil {
		serve.Fail(err)
	}
	fake := serve.New("cAdvisor", "it asks Docker instead of reading control groups, and tells no timestamps")
	machine, err := readMachine()
	if err != nil {
		serve.Fail(err)
	}
	watch := newWatch(wanted, connect("/var/run/docker.sock"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		metrics := serve.NewMetrics()
		machine.tell(metrics, fake.Version, watch.docker.version)
		watch.tell(r.Context(), metrics)
		metrics.WithProcess(fake.Started).ServeHTTP(w, r)
	})
	fake.Run(fake.Handle(mux), func(ctx context.Context) error {
		for {
			watch.look(ctx)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(wanted.housekeeping):
			}
		}
	}, ":8080")
}

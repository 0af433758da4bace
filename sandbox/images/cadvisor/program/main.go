// cAdvisor out of its own library: the Docker factory, the Prometheus endpoint and the health check, with upstream's flags.
// Upstream's own main is a module that no proxy serves. Its web page, its API and its other factories are left out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/cadvisor/lib/cache/memory"
	"github.com/google/cadvisor/lib/container"
	"github.com/google/cadvisor/lib/manager"
	"github.com/google/cadvisor/lib/metrics"
	"github.com/google/cadvisor/lib/model"
	"github.com/google/cadvisor/lib/utils/sysfs"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	_ "github.com/google/cadvisor/container/docker/install"
	_ "github.com/google/cadvisor/lib/fs/overlay/install"
	_ "github.com/google/cadvisor/lib/fs/tmpfs/install"
	_ "github.com/google/cadvisor/lib/fs/vfs/install"
)

// The library registers its own flags, the housekeeping's among them. Any other flag ends the program.
var (
	listenIP        = flag.String("listen_ip", "", "IP to listen on, defaults to all IPs")
	port            = flag.Int("port", 8080, "port to listen")
	endpoint        = flag.String("prometheus_endpoint", "/metrics", "Endpoint to expose Prometheus metrics on")
	storageDuration = flag.Duration("storage_duration", 2*time.Minute, "How long to keep data stored")
	storeLabels     = flag.Bool("store_container_labels", true, "convert container labels and environment variables into labels on Prometheus metrics for each container")
	labels          = flag.String("whitelisted_container_labels", "", "comma separated list of container labels to be converted to labels on Prometheus metrics, with store_container_labels=false")
	enabled         = container.MetricSet{}
)

func main() {
	klog.InitFlags(nil)
	flag.Var(&enabled, "enable_metrics", "comma-separated list of metrics to be enabled")
	flag.Parse()
	defer klog.Flush()
	if err := run(); err != nil {
		klog.Errorf("cAdvisor: %v", err)
		klog.Flush()
		os.Exit(1)
	}
}

func run() error {
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected arguments: %s", strings.Join(flag.Args(), " "))
	}
	included := enabled
	if len(included) == 0 {
		included = container.MetricSet{
			container.CpuUsageMetrics:     {},
			container.MemoryUsageMetrics:  {},
			container.NetworkUsageMetrics: {},
			container.DiskIOMetrics:       {},
		}
	}
	// Of the control groups that belong to no container, and of containers' environment: what upstream's flags default to.
	groups, environment := []string{""}, []string{""}
	watched, err := manager.New(
		memory.New(*storageDuration, nil), sysfs.NewRealSysFs(), manager.HousekeepingConfigFlags, included,
		groups, environment, "", 0,
	)
	if err != nil {
		return fmt.Errorf("the manager could not be made: %w", err)
	}
	if err := watched.Start(); err != nil {
		return fmt.Errorf("the manager did not start: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle(*endpoint, handler(watched, included))
	server := &http.Server{Addr: net.JoinHostPort(*listenIP, strconv.Itoa(*port)), Handler: mux}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return watched.Stop()
}

func handler(watched manager.Manager, included container.MetricSet) http.Handler {
	containerLabels := metrics.DefaultContainerLabels
	if !*storeLabels {
		containerLabels = metrics.BaseContainerLabels(strings.Split(*labels, ","))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		metrics.NewPrometheusCollector(watched, containerLabels, included, clock.RealClock{},
			model.RequestOptions{IdType: model.TypeName, Count: 1, Recursive: true}),
		metrics.NewPrometheusMachineCollector(watched, included),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	// One container whose figures cannot be read must not hide the others.
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

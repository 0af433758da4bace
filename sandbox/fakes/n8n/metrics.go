package main

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

// n8n's own buckets of how long an execution took, in seconds.
var durations = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}

// count counts an event of n8n's, which is told once there was one.
func (app *App) count(event string) {
	if app.settings.eventMetrics {
		app.metrics.Add(app.settings.metricsPrefix+strings.ReplaceAll(event, ".", "_")+"_total", 1)
	}
}

func (app *App) observe(status string, seconds float64) {
	if !app.settings.durationMetrics {
		return
	}
	name, labels := app.settings.metricsPrefix+"workflow_execution_duration_seconds", []string{"status", status, "mode", "webhook"}
	app.metrics.Observe(name, seconds, durations, labels...)
}

// watchLag measures how late a timer is, which is what n8n's event loop's lag is too.
func (app *App) watchLag(ctx context.Context) {
	for {
		asked := time.Now()
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
			app.lag.Store(max(time.Since(asked)-time.Second, 0).Nanoseconds())
		}
	}
}

func (app *App) getMetrics(response http.ResponseWriter, request *http.Request) {
	set := func(name string, value float64, labels ...string) {
		app.metrics.Set(app.settings.metricsPrefix+name, value, labels...)
	}
	var active, workflows, executions, credentials, users float64
	row := app.pool.QueryRow(request.Context(), `SELECT (SELECT count(*) FROM workflow_entity WHERE active), (SELECT count(*) FROM workflow_entity),
		(SELECT count(*) FROM execution_entity WHERE finished OR status = 'error'), (SELECT count(*) FROM credentials_entity),
		(SELECT count(*) FROM "user")`)
	if err := row.Scan(&active, &workflows, &executions, &credentials, &users); err != nil {
		failInside(response, err)
		return
	}
	parts := append(strings.SplitN(strings.TrimPrefix(app.version, "v"), ".", 3), "0", "0", "0")
	set("version_info", 1, "version", "v"+app.version, "major", parts[0], "minor", parts[1], "patch", parts[2])
	set("active_workflow_count", active)
	set("instance_role_leader", 1)
	if app.settings.statisticsMetrics {
		set("workflows", workflows)
		set("production_executions", executions)
		set("production_root_executions", executions)
		set("manual_executions", 0)
		set("credentials", credentials)
		set("users", users)
		set("enabled_users", users)
	}
	if app.settings.defaultMetrics {
		set("process_start_time_seconds", float64(app.started.Unix()))
		set("process_resident_memory_bytes", serve.ResidentBytes())
		set("nodejs_heap_size_used_bytes", heapBytes())
		set("nodejs_eventloop_lag_p99_seconds", time.Duration(app.lag.Load()).Seconds())
		app.metrics.SetCounter(app.settings.metricsPrefix+"process_cpu_seconds_total", serve.CPUSeconds())
	}
	app.metrics.ServeHTTP(response, request)
}

func heapBytes() float64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

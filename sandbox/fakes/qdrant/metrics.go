package main

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

var buckets = []float64{0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50}

// count adds one answer about points; Qdrant counts no other, and times the good ones only.
func (s *server) count(method, endpoint string, status int, took time.Duration) {
	name := s.config.Service.MetricsPrefix + "rest_responses_"
	labels := []string{"method", method, "endpoint", endpoint, "status", strconv.Itoa(status)}
	s.metrics.Add(name+"total", 1, labels...)
	if status != http.StatusOK {
		return
	}
	s.metrics.Observe(name+"duration_seconds", took.Seconds(), buckets, labels...)
}

func (s *server) tell(w http.ResponseWriter, r *http.Request) {
	prefix := s.config.Service.MetricsPrefix
	set := func(name string, to float64, labels ...string) { s.metrics.Set(prefix+name, to, labels...) }
	perCollection := []string{"collection_points", "collection_vectors", "collection_running_optimizations",
		"collection_update_queue_length", "snapshot_creation_running", "snapshot_recovery_running", "snapshot_created_total"}
	for _, name := range perCollection {
		s.metrics.Clear(prefix + name)
	}
	vectors := 0.0
	names := s.store.names()
	for _, name := range names {
		_ = s.store.with(name, func(c *collection) (bool, error) {
			points := float64(len(c.Points))
			vectors += points
			set("collection_points", points, "id", name)
			set("collection_vectors", points, "collection", name, "vector", "")
			for _, idle := range []string{"collection_running_optimizations", "collection_update_queue_length", "snapshot_creation_running", "snapshot_recovery_running"} {
				set(idle, 0, "id", name)
			}
			s.metrics.Add(prefix+"snapshot_created_total", float64(c.Snapshots), "id", name)
			return false, nil
		})
	}
	set("app_info", 1, "name", "qdrant", "version", s.version())
	set("app_status_recovery_mode", 0)
	set("cluster_enabled", 0)
	set("collections_total", float64(len(names)))
	set("collections_vector_total", vectors)
	set("collection_dead_replicas", 0)
	s.tellProcess(set)
	s.metrics.ServeHTTP(w, r)
}

func (s *server) tellProcess(set func(string, float64, ...string)) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	set("memory_active_bytes", float64(memory.HeapInuse))
	set("memory_allocated_bytes", float64(memory.HeapAlloc))
	set("memory_retained_bytes", float64(memory.HeapIdle-memory.HeapReleased))
	set("memory_resident_bytes", numberIn("/proc/self/statm", 1)*float64(os.Getpagesize()))
	maps, _ := os.ReadFile("/proc/self/maps")
	set("process_open_mmaps", float64(strings.Count(string(maps), "\n")))
	set("system_max_mmaps", numberIn("/proc/sys/vm/max_map_count", 0))
	files, _ := os.ReadDir("/proc/self/fd")
	set("process_open_fds", float64(len(files)))
	set("process_threads", float64(runtime.NumGoroutine()))
}

func numberIn(path string, field int) float64 {
	text, _ := os.ReadFile(path)
	fields := strings.Fields(string(text))
	if field >= len(fields) {
		return 0
	}
	number, _ := strconv.ParseFloat(fields[field], 64)
	return number
}

package main

import (
	"strconv"
	"strings"

	"vpai.sandbox/fakes/serve"
)

// with is labels and more of them, without touching the former.
func with(labels []string, more ...string) []string {
	return append(labels[:len(labels):len(labels)], more...)
}

func tellCPU(m *serve.Metrics, container inspected, s *stats, labels []string) {
	seconds := func(nanoseconds float64) float64 { return nanoseconds / 1e9 }
	m.Add("container_cpu_usage_seconds_total", seconds(s.CPU.Usage.Total), with(labels, "cpu", "total")...)
	m.Add("container_cpu_user_seconds_total", seconds(s.CPU.Usage.User), labels...)
	m.Add("container_cpu_system_seconds_total", seconds(s.CPU.Usage.Kernel), labels...)
	if container.HostConfig.NanoCpus > 0 {
		m.Add("container_cpu_cfs_periods_total", s.CPU.Throttling.Periods, labels...)
		m.Add("container_cpu_cfs_throttled_periods_total", s.CPU.Throttling.Throttled, labels...)
		m.Add("container_cpu_cfs_throttled_seconds_total", seconds(s.CPU.Throttling.Time), labels...)
	}
}

// tellMemory knows both versions of control groups: the first name is version 1's, the second version 2's.
func tellMemory(m *serve.Metrics, s *stats, labels []string) {
	of := func(names ...string) float64 {
		for _, name := range names {
			if value, ok := s.Memory.Stats[name]; ok {
				return value
			}
		}
		return 0
	}
	m.Set("container_memory_usage_bytes", s.Memory.Usage, labels...)
	m.Set("container_memory_max_usage_bytes", s.Memory.Max, labels...)
	m.Set("container_memory_working_set_bytes", max(s.Memory.Usage-of("total_inactive_file", "inactive_file"), 0), labels...)
	m.Set("container_memory_cache", of("total_cache", "file"), labels...)
	m.Set("container_memory_rss", of("total_rss", "anon"), labels...)
	m.Set("container_memory_mapped_file", of("total_mapped_file", "file_mapped"), labels...)
	m.Set("container_memory_swap", of("total_swap", "swap"), labels...)
	m.Add("container_memory_failcnt", s.Memory.Failcnt, labels...)
	for _, kind := range []string{"pgfault", "pgmajfault"} {
		m.Add("container_memory_failures_total", of(kind), with(labels, "failure_type", kind, "scope", "container")...)
		m.Add("container_memory_failures_total", of("total_"+kind, kind), with(labels, "failure_type", kind, "scope", "hierarchy")...)
	}
}

func tellDisk(m *serve.Metrics, s *stats, labels []string) {
	names := map[string]string{"read": "reads", "write": "writes"}
	for _, entry := range s.Blkio.Bytes {
		device := deviceName(entry.Major, entry.Minor)
		if name, ok := names[strings.ToLower(entry.Op)]; ok {
			m.Add("container_fs_"+name+"_bytes_total", entry.Value, with(labels, "device", device)...)
		}
		m.Add("container_blkio_device_usage_total", entry.Value, with(labels, "device", device, "major", strconv.FormatUint(entry.Major, 10),
			"minor", strconv.FormatUint(entry.Minor, 10), "operation", entry.Op)...)
	}
	for _, entry := range s.Blkio.Serviced {
		if name, ok := names[strings.ToLower(entry.Op)]; ok {
			m.Add("container_fs_"+name+"_total", entry.Value, with(labels, "device", deviceName(entry.Major, entry.Minor))...)
		}
	}
}

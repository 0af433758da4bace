package serve

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// WithProcess tells what every Go program tells of itself, measured anew at each asking, and then the rest.
func (m *Metrics) WithProcess(started time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.Set("process_resident_memory_bytes", ResidentBytes())
		m.Set("process_start_time_seconds", float64(started.UnixMilli())/1000)
		m.Set("go_goroutines", float64(runtime.NumGoroutine()))
		m.Set("go_info", 1, "version", runtime.Version())
		m.SetCounter("process_cpu_seconds_total", CPUSeconds())
		m.ServeHTTP(w, r)
	})
}

// ResidentBytes is what this program holds of memory: the second number of /proc/self/statm, in pages.
func ResidentBytes() float64 {
	content, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(content))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize())
}

// CPUSeconds is what this program has used of the processor.
func CPUSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

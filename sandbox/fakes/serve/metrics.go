package serve

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Metrics are counters and gauges, told in Prometheus' text format. Names are the product's own.
type Metrics struct {
	mu     sync.Mutex
	kinds  map[string]string
	values map[string]map[string]float64
}

func NewMetrics() *Metrics {
	return &Metrics{kinds: map[string]string{}, values: map[string]map[string]float64{}}
}

// Labels are name, value, name, value…
func series(labels []string) string {
	if len(labels) == 0 {
		return ""
	}
	parts := make([]string, 0, len(labels)/2)
	for i := 0; i+1 < len(labels); i += 2 {
		parts = append(parts, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Add raises a counter; Add of 0 makes it exist.
func (m *Metrics) Add(name string, by float64, labels ...string) {
	m.change("counter", name, labels, func(value float64) float64 { return value + by })
}

// Set sets a gauge.
func (m *Metrics) Set(name string, to float64, labels ...string) {
	m.change("gauge", name, labels, func(float64) float64 { return to })
}

// SetCounter sets a counter that is counted elsewhere.
func (m *Metrics) SetCounter(name string, to float64, labels ...string) {
	m.change("counter", name, labels, func(float64) float64 { return to })
}

// Observe adds a value to a histogram of these bounds.
func (m *Metrics) Observe(name string, value float64, bounds []float64, labels ...string) {
	for _, bound := range append(slices.Clone(bounds), math.Inf(1)) {
		within := 0.0
		if value <= bound {
			within = 1
		}
		m.Add(name+"_bucket", within, append([]string{"le", strconv.FormatFloat(bound, 'g', -1, 64)}, labels...)...)
	}
	m.Add(name+"_sum", value, labels...)
	m.Add(name+"_count", 1, labels...)
}

// Clear forgets all series of a name, for gauges whose labels come and go.
func (m *Metrics) Clear(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, name)
}

func (m *Metrics) change(kind, name string, labels []string, by func(float64) float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values[name] == nil {
		m.values[name] = map[string]float64{}
	}
	m.kinds[name] = kind
	m.values[name][series(labels)] = by(m.values[name][series(labels)])
}

// ServeHTTP tells them all, in order.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make([]string, 0, len(m.values))
	for name := range m.values {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(w, "# TYPE %s %s\n", name, m.kinds[name])
		labels := make([]string, 0, len(m.values[name]))
		for label := range m.values[name] {
			labels = append(labels, label)
		}
		sort.Strings(labels)
		for _, label := range labels {
			fmt.Fprintf(w, "%s%s %s\n", name, label, strconv.FormatFloat(m.values[name][label], 'g', -1, 64))
		}
	}
}

package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"vpai.sandbox/fakes/serve"
)

// watch keeps the last sample of each container.
type watch struct {
	flags  flags
	docker *docker
	mu     sync.Mutex
	// By container and start: a container that was started again begins anew.
	samples map[string]*sample
}

type sample struct {
	stats *stats
	links []link
}

func newWatch(wanted flags, d *docker) *watch {
	return &watch{flags: wanted, docker: d, samples: map[string]*sample{}}
}

func key(container inspected) string {
	return container.ID + " " + container.State.StartedAt.String()
}

// look takes a new sample of every container and forgets those that are gone.
func (w *watch) look(ctx context.Context) {
	containers, err := w.docker.running(ctx)
	if err != nil {
		serve.Say("Couldn't get containers: %v", err)
		return
	}
	samples := map[string]*sample{}
	for _, container := range containers {
		if taken := w.take(ctx, container); taken != nil {
			samples[key(container)] = taken
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples = samples
}

func (w *watch) take(ctx context.Context, container inspected) *sample {
	taken, err := w.docker.stats(ctx, container.ID)
	if err != nil {
		return nil
	}
	links, err := readLinks(container.State.Pid)
	if err != nil {
		serve.Say("failed to get network stats of %s: %v", container.Name, err)
	}
	return &sample{stats: taken, links: links}
}

// sampleOf is the last one; one taken now for a container that is new, of which cAdvisor hears from the kernel.
func (w *watch) sampleOf(ctx context.Context, container inspected) *sample {
	w.mu.Lock()
	known := w.samples[key(container)]
	w.mu.Unlock()
	if known != nil {
		return known
	}
	taken := w.take(ctx, container)
	if taken != nil {
		w.mu.Lock()
		w.samples[key(container)] = taken
		w.mu.Unlock()
	}
	return taken
}

// tell tells the machine's own group and every container that runs.
func (w *watch) tell(ctx context.Context, m *serve.Metrics) {
	now := float64(time.Now().Unix())
	m.Set("container_last_seen", now, "id", "/")
	containers, err := w.docker.running(ctx)
	m.Set("container_scrape_error", number(err != nil))
	for _, container := range containers {
		labels := w.labels(container)
		m.Set("container_last_seen", now, labels...)
		m.Set("container_creation_time_seconds", float64(container.Created.Unix()), labels...)
		m.Set("container_start_time_seconds", float64(container.State.StartedAt.Unix()), labels...)
		m.Set("container_health_state", health(container), labels...)
		tellSpec(m, container, labels)
		if found := w.sampleOf(ctx, container); found != nil {
			w.tellSample(m, container, found, labels)
		}
	}
}

func (w *watch) labels(container inspected) []string {
	labels := []string{"id", w.docker.path(container.ID), "image", container.Config.Image, "name", strings.TrimPrefix(container.Name, "/")}
	for _, name := range w.flags.labels {
		if value, ok := container.Config.Labels[name]; ok {
			labels = append(labels, "container_label_"+sanitize(name), value)
		}
	}
	return labels
}

// sanitize makes a name that a label may have.
func sanitize(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
}

// health is -1 without a check, 1 when healthy, 0 when unhealthy or starting.
func health(container inspected) float64 {
	if container.State.Health == nil {
		return -1
	}
	return number(container.State.Health.Status == "healthy")
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func tellSpec(m *serve.Metrics, container inspected, labels []string) {
	host := container.HostConfig
	shares := host.CPUShares
	if shares == 0 {
		shares = 1024
	}
	m.Set("container_spec_cpu_period", period, labels...)
	m.Set("container_spec_cpu_shares", shares, labels...)
	if host.NanoCpus > 0 {
		m.Set("container_spec_cpu_quota", host.NanoCpus*period/1e9, labels...)
	}
	m.Set("container_spec_memory_limit_bytes", host.Memory, labels...)
	m.Set("container_spec_memory_swap_limit_bytes", max(host.MemorySwap, 0), labels...)
	m.Set("container_spec_memory_reservation_limit_bytes", host.MemoryReservation, labels...)
}

// period is what Docker turns a number of CPUs into, in microseconds.
const period = 100_000

func (w *watch) tellSample(m *serve.Metrics, container inspected, found *sample, labels []string) {
	has := func(kind string) bool { return slices.Contains(w.flags.kinds, kind) }
	if has("cpu") {
		tellCPU(m, container, found.stats, labels)
	}
	if has("memory") {
		tellMemory(m, found.stats, labels)
	}
	if has("diskIO") {
		tellDisk(m, found.stats, labels)
	}
	if has("network") {
		for _, link := range found.links {
			link.tell(m, labels)
		}
	}
}

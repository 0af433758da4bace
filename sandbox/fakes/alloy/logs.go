package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"vpai.sandbox/fakes/serve"
	"vpai.sandbox/fakes/wire"
)

// entry is a line on its way to Loki. Once it is there, its container has been read up to its time.
type entry struct {
	container, labels string
	logLine
}

// logSource is a loki.source.docker, with what finds its containers before it and what takes its lines behind it.
type logSource struct {
	with      logChain
	labels    []string
	metrics   *serve.Metrics
	positions *positions
	lines     chan entry
	mu        sync.Mutex
	listed    map[string]bool
	followed  map[string]bool
}

func (a *alloy) logSource(id string, with logChain) *logSource {
	s := &logSource{with: with, metrics: a.metrics, lines: make(chan entry, 100), listed: map[string]bool{}, followed: map[string]bool{}}
	at, _ := url.Parse(with.Write.Endpoint.URL)
	to := with.Source.ForwardTo[0]
	s.labels = []string{"component_id", id, "component_id", to, "component_path", "/", "host", at.Host}
	for _, name := range []string{"loki_source_docker_target_entries_total", "loki_source_docker_target_parsing_errors_total"} {
		a.metrics.Add(name, 0, "component_id", id, "component_path", "/")
	}
	for _, name := range []string{"loki_write_sent_entries_total", "loki_write_sent_bytes_total", "loki_write_batch_retries_total"} {
		a.metrics.Add(name, 0, append(s.labels[2:], "tenant", "")...)
	}
	for _, reason := range []string{"ingester_error", "line_too_long", "rate_limited", "stream_limited"} {
		a.metrics.Add("loki_write_dropped_entries_total", 0, append(s.labels[2:], "reason", reason, "tenant", "")...)
	}
	var err error
	if s.positions, err = openPositions(filepath.Join(a.options.storage, id)); err != nil {
		serve.Fail(err)
	}
	return s
}

func (s *logSource) run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { s.discover(ctx) })
	all.Go(func() { s.write(ctx) })
	all.Wait()
}

func (s *logSource) isFollowed(container string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.followed[container]
}

// discover looks for containers at every interval, and follows each that it does not follow yet.
func (s *logSource) discover(ctx context.Context) {
	every := time.NewTicker(s.with.Discovery.RefreshInterval)
	defer every.Stop()
	for {
		client, err := connect(ctx, s.with.Source.Host)
		var targets []map[string]string
		if err == nil {
			targets, err = client.targets(ctx)
		}
		if err != nil && ctx.Err() == nil {
			serve.Say("level=error msg=\"Unable to refresh target groups\" err=%q", err)
		} else {
			s.mu.Lock()
			s.listed = map[string]bool{}
			for _, labels := range targets {
				id := labels["__meta_docker_container_id"]
				s.listed[id] = true
				if !s.followed[id] {
					s.followed[id] = true
					relabel(labels, s.with.Rules)
					go s.tail(ctx, client, id, streamLabels(labels))
				}
			}
			s.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// streamLabels are those that no longer begin with two underscores, as Loki reads them: `{a="b", c="d"}`.
func streamLabels(labels map[string]string) string {
	var parts []string
	for name, value := range labels {
		if !strings.HasPrefix(name, "__") && value != "" {
			parts = append(parts, fmt.Sprintf("%s=%q", name, value))
		}
	}
	sort.Strings(parts)
	return "{" + strings.Join(parts, ", ") + "}"
}

// tail follows one container until it is gone. A stream that ends before is taken up where it ended.
func (s *logSource) tail(ctx context.Context, client *docker, id, labels string) {
	last := s.positions.get(id)
	for ctx.Err() == nil {
		err := client.follow(ctx, id, last, func(line logLine) error {
			select {
			case s.lines <- entry{id, labels, line}:
				last = line.at
				s.metrics.Add("loki_source_docker_target_entries_total", 1, "component_id", s.labels[1], "component_path", "/")
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		s.mu.Lock()
		if !s.listed[id] {
			delete(s.followed, id)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			serve.Say("level=warn msg=\"could not transfer logs\" container=%.12s err=%q", id, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// write sends lines to Loki, those of a second together.
func (s *logSource) write(ctx context.Context) {
	var batch []entry
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.lines:
			if batch = append(batch, e); len(batch) < 1000 {
				continue
			}
		case <-every.C:
		}
		if len(batch) > 0 && s.deliver(ctx, batch) {
			if err := s.positions.arrived(batch, s.isFollowed); err != nil {
				serve.Say("level=error msg=\"cannot remember positions\" err=%q", err)
			}
			batch = nil
		}
	}
}

// deliver gives up after ten tries, as Alloy does; lines that nobody takes must not hold up those behind them for ever.
func (s *logSource) deliver(ctx context.Context, batch []entry) bool {
	message, bytes := pushRequest(batch)
	drop := func(reason string, err error) bool {
		serve.Say("level=error msg=\"final error sending batch\" count=%d err=%q", len(batch), err)
		s.metrics.Add("loki_write_dropped_entries_total", float64(len(batch)), append(s.labels[2:], "reason", reason, "tenant", "")...)
		return true
	}
	wait := 500 * time.Millisecond
	for try := 1; ; try++ {
		err := send(ctx, s.with.Write.Endpoint.URL, message, nil)
		if err == nil {
			s.metrics.Add("loki_write_sent_entries_total", float64(len(batch)), append(s.labels[2:], "tenant", "")...)
			s.metrics.Add("loki_write_sent_bytes_total", float64(bytes), append(s.labels[2:], "tenant", "")...)
			return true
		}
		if _, refused := err.(errRefused); refused || try == 10 {
			return drop("ingester_error", err)
		}
		s.metrics.Add("loki_write_batch_retries_total", 1, append(s.labels[2:], "tenant", "")...)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
			wait = min(2*wait, 5*time.Minute)
		}
	}
}

// pushRequest is Loki's message: streams with their lines, and how many bytes the lines have.
func pushRequest(batch []entry) (message []byte, bytes int) {
	streams, order := map[string][]byte{}, []string{}
	for _, e := range batch {
		if streams[e.labels] == nil {
			order = append(order, e.labels)
			streams[e.labels] = wire.Bytes(nil, 1, e.labels)
		}
		at := wire.Varint(wire.Varint(nil, 1, uint64(e.at.Unix())), 2, uint64(e.at.Nanosecond()))
		streams[e.labels] = wire.Bytes(streams[e.labels], 2, wire.Bytes(wire.Bytes(nil, 1, at), 2, e.text))
		bytes += len(e.text)
	}
	for _, labels := range order {
		message = wire.Bytes(message, 1, streams[labels])
	}
	return message, bytes
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/golang/snappy"

	"vpai.sandbox/fakes/serve"
	"vpai.sandbox/fakes/wire"
)

const (
	samplesPerSend = 2000
	// samplesWaiting is how many wait in memory while the store is away: a quarter of an hour of this stack.
	samplesWaiting = 200_000
)

// errRefused is an answer that another try would not change.
type errRefused struct{ text string }

func (e errRefused) Error() string { return e.text }

// send posts a message packed with Snappy. 429 and 5xx are worth another try.
func send(ctx context.Context, url string, message []byte, headers map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(snappy.Encode(nil, message)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
	switch {
	case response.StatusCode/100 == 2:
		return nil
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode/100 == 5:
		return fmt.Errorf("%s: %s", response.Status, said)
	default:
		return errRefused{fmt.Sprintf("%s: %s", response.Status, said)}
	}
}

// remote is a prometheus.remote_write: samples wait in order, and are sent in batches.
type remote struct {
	url     string
	labels  []string
	metrics *serve.Metrics
	mu      sync.Mutex
	waiting []sample
	more    chan struct{}
}

func newRemote(id string, args *remoteWriteArgs, metrics *serve.Metrics) *remote {
	url := args.Endpoint.URL
	r := &remote{url: url, metrics: metrics, more: make(chan struct{}, 1)}
	r.labels = []string{"component_id", id, "component_path", "/", "remote_name", "fake", "url", url}
	for _, name := range []string{"samples_total", "samples_failed_total", "samples_retried_total"} {
		metrics.Add("prometheus_remote_storage_"+name, 0, r.labels...)
	}
	return r
}

func (r *remote) add(samples []sample) {
	r.mu.Lock()
	r.waiting = append(r.waiting, samples...)
	if over := len(r.waiting) - samplesWaiting; over > 0 {
		r.waiting = append([]sample{}, r.waiting[over:]...)
		r.metrics.Add("prometheus_remote_storage_samples_failed_total", float64(over), r.labels...)
	}
	r.metrics.Set("prometheus_remote_storage_samples_pending", float64(len(r.waiting)), r.labels...)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *remote) take() []sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(samplesPerSend, len(r.waiting))
	batch := r.waiting[:n:n]
	r.waiting = r.waiting[n:]
	return batch
}

// run sends until the context ends; what waits then is lost, as is what Alloy has not written to its log of samples.
func (r *remote) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.more:
		}
		for batch := r.take(); len(batch) > 0; batch = r.take() {
			if !r.deliver(ctx, batch) {
				return
			}
		}
	}
}

func (r *remote) deliver(ctx context.Context, batch []sample) bool {
	var message []byte
	newest := int64(0)
	for _, each := range batch {
		point := wire.Varint(wire.Double(nil, 1, each.value), 2, uint64(each.at))
		message = wire.Bytes(message, 1, wire.Bytes([]byte(each.series), 2, point))
		newest = max(newest, each.at)
	}
	headers := map[string]string{"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
	for wait := 500 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := send(ctx, r.url, message, headers)
		if err == nil {
			r.metrics.Add("prometheus_remote_storage_samples_total", float64(len(batch)), r.labels...)
			r.metrics.Set("prometheus_remote_storage_queue_highest_sent_timestamp_seconds", float64(newest/1000), r.labels...)
			return true
		}
		if _, refused := err.(errRefused); refused {
			serve.Say("level=error msg=\"samples refused\" count=%d err=%q", len(batch), err)
			r.metrics.Add("prometheus_remote_storage_samples_failed_total", float64(len(batch)), r.labels...)
			return true
		}
		r.metrics.Add("prometheus_remote_storage_samples_retried_total", float64(len(batch)), r.labels...)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

// stale is the number that says a series has ended: one of the many that are none.
var stale = math.Float64frombits(0x7ff0000000000002)

// scrape asks one target at every interval and hands on what it tells, until the context ends. Its series end with it.
func (a *alloy) scrape(ctx context.Context, args *scrapeArgs, target map[string]string) {
	labels := map[string]string{"job": args.JobName, "instance": target["__address__"]}
	for name, value := range target {
		if !strings.HasPrefix(name, "__") {
			labels[name] = value
		}
	}
	known, own, well := map[string]bool{}, map[string]bool{}, true
	defer func() {
		var last []sample
		maps.Copy(own, known)
		for gone := range own {
			last = append(last, sample{gone, stale, time.Now().UnixMilli()})
		}
		a.hand(args.ForwardTo, last)
	}()
	every := time.NewTicker(args.Interval)
	defer every.Stop()
	for {
		began := time.Now()
		samples, err := a.ask(ctx, args, target["__address__"], labels, began)
		if ctx.Err() != nil {
			return
		}
		if (err == nil) != well {
			well = err == nil
			serve.Say("level=warn job=%s msg=\"scrape\" err=\"%v\"", args.JobName, err)
		}
		told, now := map[string]bool{}, began.UnixMilli()
		count := len(samples)
		for _, each := range samples {
			told[each.series] = true
		}
		for gone := range known {
			if !told[gone] {
				samples = append(samples, sample{gone, stale, now})
			}
		}
		added := 0.0
		for each := range told {
			if !known[each] {
				added++
			}
		}
		known = told
		up := 1.0
		if err != nil {
			up = 0
		}
		for name, value := range map[string]float64{
			"up": up, "scrape_duration_seconds": time.Since(began).Seconds(), "scrape_samples_scraped": float64(count),
			"scrape_samples_post_metric_relabeling": float64(count), "scrape_series_added": added,
		} {
			about := map[string]string{"__name__": name}
			maps.Copy(about, labels)
			own[series(about)] = true
			samples = append(samples, sample{series(about), value, now})
		}
		a.hand(args.ForwardTo, samples)
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

func (a *alloy) ask(ctx context.Context, args *scrapeArgs, address string, labels map[string]string, now time.Time) ([]sample, error) {
	ctx, cancel := context.WithTimeout(ctx, args.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+args.MetricsPath, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4;q=1,*/*;q=0.1")
	request.Header.Set("User-Agent", "Alloy/"+a.fake.Version+" (fake)")
	if args.Authorization != nil {
		// Read at every scrape, as Prometheus does.
		token, err := os.ReadFile(args.Authorization.CredentialsFile)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", args.Authorization.Type+" "+strings.TrimSpace(string(token)))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("server returned HTTP status %s", response.Status)
	}
	return read(response.Body, labels, now)
}

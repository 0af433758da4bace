package main

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"vpai.sandbox/fakes/serve"
)

// work is a component that runs. What it was started with tells whether it may go on.
type work struct {
	args any
	stop func()
}

// reload is a configuration that somebody asked for, and what is closed once it is in force.
type reload struct {
	config *configuration
	done   chan struct{}
}

// run does what the configuration says, and what those say that follow it.
func (a *alloy) run(ctx context.Context, config *configuration) error {
	a.apply(ctx, config)
	for {
		select {
		case <-ctx.Done():
			a.apply(ctx, &configuration{})
			return nil
		case next := <-a.reloads:
			a.apply(ctx, next.config)
			close(next.done)
		}
	}
}

// apply stops what this configuration has not, or has otherwise, and starts what is new. What is the same goes on, with
// the samples and lines that wait in it.
func (a *alloy) apply(ctx context.Context, config *configuration) {
	wanted := config.wanted()
	for id, running := range a.works {
		if !reflect.DeepEqual(running.args, wanted[id]) {
			running.stop()
			delete(a.works, id)
		}
	}
	// Who takes before who gives.
	for _, kind := range []string{"prometheus.remote_write.", "loki.", "prometheus.scrape."} {
		for id, args := range wanted {
			if _, running := a.works[id]; !running && strings.HasPrefix(id, kind) {
				a.works[id] = begin(ctx, args, a.prepare(id, args))
			}
		}
	}
	a.metrics.Set("alloy_component_controller_running_components", float64(config.components()), "controller_id", "", "controller_path", "/", "health_type", "healthy")
	a.metrics.Set("alloy_config_last_load_successful", 1)
	a.metrics.Set("alloy_config_last_load_success_timestamp_seconds", float64(time.Now().Unix()))
}

func begin(ctx context.Context, args any, run func(context.Context)) work {
	inner, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { run(inner) })
	return work{args, func() { cancel(); all.Wait() }}
}

// wanted are the arguments of what runs by itself, by its name; those of a source of logs with the ones it depends on.
func (c *configuration) wanted() map[string]any {
	all := map[string]any{}
	for id, args := range c.remoteWrites {
		all[id] = args
	}
	for id, args := range c.scrapes {
		all[id] = args
	}
	for id := range c.logSources {
		all[id] = c.chain(id)
	}
	return all
}

// prepare makes a component, and answers what it does from then on.
func (a *alloy) prepare(id string, args any) func(context.Context) {
	switch args := args.(type) {
	case *remoteWriteArgs:
		one := newRemote(id, args, a.metrics)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.remotes[id] = one
		return one.run
	case logChain:
		return a.logSource(id, args).run
	case *scrapeArgs:
		return func(ctx context.Context) {
			var all sync.WaitGroup
			for _, target := range args.Targets {
				all.Go(func() { a.scrape(ctx, args, target) })
			}
			all.Wait()
		}
	default:
		panic(fmt.Sprintf("%s does not run by itself", id))
	}
}

// hand gives samples to what sends them.
func (a *alloy) hand(to []string, samples []sample) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range to {
		if one := a.remotes[id]; one != nil {
			one.add(samples)
		}
	}
}

// reload answers once the file that it was started with is in force, or is refused.
func (a *alloy) reload(w http.ResponseWriter, r *http.Request) {
	config, err := readConfig(a.options.config)
	if err != nil {
		a.metrics.Set("alloy_config_last_load_successful", 0)
		a.metrics.Add("alloy_config_load_failures_total", 1)
		serve.Say("level=error msg=\"failed to reload config\" err=%q", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	next := reload{config, make(chan struct{})}
	select {
	case a.reloads <- next:
		<-next.done
		fmt.Fprintln(w, "config reloaded")
	case <-r.Context().Done():
	}
}

// logChain is a source of logs with what finds its containers, what names them, and what takes its lines.
type logChain struct {
	Source    *logSourceArgs
	Rules     []*ruleArgs
	Discovery *discoveryArgs
	Write     *logWriteArgs
}

func (c *configuration) chain(id string) logChain {
	args := c.logSources[id]
	chain, targets := logChain{Source: args}, args.Targets
	if between, ok := c.relabels[targets]; ok {
		chain.Rules, targets = between.Rules, between.Targets
	}
	chain.Discovery = c.discoveries[targets]
	if len(args.ForwardTo) > 0 {
		chain.Write = c.logWrites[args.ForwardTo[0]]
	}
	return chain
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"vpai.sandbox/fakes/serve"
)

// watch looks into the dashboards' directories as often as the first provider says. Grafana logs a fault too, and keeps
// what it had.
func (p *provisioned) watch(ctx context.Context) error {
	if len(p.providers) == 0 {
		return nil
	}
	every := time.NewTicker(time.Duration(cmp.Or(p.providers[0].UpdateIntervalSeconds, 10)) * time.Second)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		found, err := p.readDashboards()
		if err != nil {
			serve.Say("logger=provisioning.dashboard level=error msg=\"failed to load dashboard\" error=%q", err)
			continue
		}
		p.mu.Lock()
		p.dashboards = found
		p.mu.Unlock()
	}
}

// current are the provisioned dashboards, by uid.
func (p *provisioned) current() map[string]*dashboard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.dashboards)
}

func (p *provisioned) readDashboards() (map[string]*dashboard, error) {
	found := map[string]*dashboard{}
	for _, each := range p.providers {
		files, err := filepath.Glob(filepath.Join(each.Options.Path, "*.json"))
		if _, missing := os.Stat(each.Options.Path); err != nil || missing != nil {
			return nil, errors.Join(err, missing)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			one, err := p.parse(content)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
			for _, other := range found {
				if other.UID == one.UID || other.Title == one.Title {
					return nil, fmt.Errorf("%s: its uid or title is that of another dashboard too", filepath.Base(file))
				}
			}
			one.file = filepath.Base(file)
			found[one.UID] = one
		}
	}
	return found, nil
}

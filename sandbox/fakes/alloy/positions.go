package main

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"gopkg.in/yaml.v3"
)

// positions remember how far each container's log has arrived, across restarts.
type positions struct {
	path string
	mu   sync.Mutex
	at   map[string]int64
}

func openPositions(directory string) (*positions, error) {
	p := &positions{path: filepath.Join(directory, "positions.yml"), at: map[string]int64{}}
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(p.path)
	if os.IsNotExist(err) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	return p, yaml.Unmarshal(content, &p.at)
}

func (p *positions) get(container string) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.at[container]; at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// arrived is written before anything newer is sent. Containers that are not followed any more are forgotten.
func (p *positions) arrived(batch []entry, followed func(string) bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range batch {
		p.at[e.container] = max(p.at[e.container], e.at.UnixNano())
	}
	for container := range p.at {
		if !followed(container) {
			delete(p.at, container)
		}
	}
	content, err := yaml.Marshal(p.at)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.path+".new", content, 0o640); err != nil {
		return err
	}
	return os.Rename(p.path+".new", p.path)
}

package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"sync"
)

type vectorParams struct {
	Size     int    `json:"size"`
	Distance string `json:"distance"`
	OnDisk   *bool  `json:"on_disk,omitempty"`
}

type point struct {
	ID      json.RawMessage `json:"id"`
	Vector  []float64       `json:"vector"`
	Payload map[string]any  `json:"payload"`
}

type collection struct {
	Name    string           `json:"name"`
	Vectors vectorParams     `json:"vectors"`
	Points  map[string]point `json:"points"`
	// Operations counts what was written.
	Operations int `json:"operations"`
	// Snapshots counts those made since the start.
	Snapshots int `json:"-"`
}

// store keeps each collection in memory and in one file; every change is on disk before it is answered.
type store struct {
	mu          sync.Mutex
	directory   string
	snapshots   string
	collections map[string]*collection
}

func openStore(storage, snapshots string) (*store, error) {
	s := &store{directory: filepath.Join(storage, "collections"), snapshots: snapshots, collections: map[string]*collection{}}
	if err := os.MkdirAll(s.directory, 0o755); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(s.directory, "*", "fake.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found := &collection{}
		if err := json.Unmarshal(text, found); err != nil {
			return nil, err
		}
		s.collections[found.Name] = found
	}
	return s, nil
}

func (s *store) folder(name string) string { return filepath.Join(s.directory, url.PathEscape(name)) }

func (s *store) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.collections))
	for name := range s.collections {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// with works on one collection while nobody else does; what it changed is written when it says so.
func (s *store) with(name string, work func(*collection) (changed bool, err error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.collections[name]
	if !ok {
		return notFound("Collection `%s` doesn't exist!", name)
	}
	changed, err := work(found)
	if err != nil || !changed {
		return err
	}
	found.Operations++
	return s.write(found)
}

func (s *store) write(c *collection) error {
	if err := os.MkdirAll(s.folder(c.Name), 0o755); err != nil {
		return err
	}
	return writeFile(filepath.Join(s.folder(c.Name), "fake.json"), mustJSON(c))
}

// put adds or replaces a collection as a whole.
func (s *store) put(c *collection) error {
	if err := s.write(c); err != nil {
		return err
	}
	s.collections[c.Name] = c
	return nil
}

func (s *store) remove(name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, existed := s.collections[name]
	delete(s.collections, name)
	return existed, os.RemoveAll(s.folder(name))
}

// writeFile replaces a file by a whole one, on disk.
func writeFile(path string, content []byte) error {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

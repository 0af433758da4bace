package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

type entry struct {
	at   int64
	line string
}

type stream struct {
	labels  map[string]string
	entries []entry
}

// store keeps a directory for each stream, and in it a file for each hour. What was written is there after a restart.
type store struct {
	directory string
	mu        sync.RWMutex
	streams   map[string]map[string]string
}

const labelsFile = "labels.json"

func openStore(directory string) (*store, error) {
	s := &store{directory: directory, streams: map[string]map[string]string{}}
	found, err := filepath.Glob(filepath.Join(directory, "*", labelsFile))
	if err != nil {
		return nil, err
	}
	for _, path := range found {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var labels map[string]string
		if err := json.Unmarshal(content, &labels); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.streams[filepath.Base(filepath.Dir(path))] = labels
	}
	return s, nil
}

// written is labels as Loki writes them: `{a="b", c="d"}`.
func written(labels map[string]string) string {
	parts := make([]string, 0, len(labels))
	for name, value := range labels {
		parts = append(parts, fmt.Sprintf("%s=%q", name, value))
	}
	sort.Strings(parts)
	return "{" + strings.Join(parts, ", ") + "}"
}

func (s *store) add(labels map[string]string, entries []entry) error {
	hash := fnv.New64a()
	hash.Write([]byte(written(labels)))
	id := strconv.FormatUint(hash.Sum64(), 16)
	s.mu.Lock()
	defer s.mu.Unlock()
	directory := filepath.Join(s.directory, id)
	if s.streams[id] == nil {
		if err := os.MkdirAll(directory, 0o750); err != nil {
			return err
		}
		content, _ := json.Marshal(labels)
		if err := os.WriteFile(filepath.Join(directory, labelsFile), content, 0o640); err != nil {
			return err
		}
		s.streams[id] = labels
	}
	hours := map[int64][]byte{}
	for _, e := range entries {
		line, _ := json.Marshal(e.line)
		hour := e.at / int64(time.Hour)
		hours[hour] = append(append(fmt.Appendf(hours[hour], "%d ", e.at), line...), '\n')
	}
	for hour, lines := range hours {
		file, err := os.OpenFile(filepath.Join(directory, strconv.FormatInt(hour, 10)), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
		if err != nil {
			return err
		}
		_, err = file.Write(lines)
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find answers the streams that a query selects, with their lines after from and up to to, oldest first.
func (s *store) find(q *query, from, to int64) ([]stream, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []stream
	for id, labels := range s.streams {
		if slices.ContainsFunc(q.matches, func(m match) bool { return !m.holds(labels[m.label]) }) {
			continue
		}
		found := stream{labels: labels}
		for _, hour := range s.hours(id) {
			if hour < from/int64(time.Hour) || hour > to/int64(time.Hour) {
				continue
			}
			entries, err := readHour(filepath.Join(s.directory, id, strconv.FormatInt(hour, 10)), q, from, to)
			if err != nil {
				return nil, err
			}
			found.entries = append(found.entries, entries...)
		}
		slices.SortStableFunc(found.entries, func(a, b entry) int { return int(max(-1, min(1, a.at-b.at))) })
		// A line that is told twice is one: collectors read again from where they are sure of having been.
		found.entries = slices.Compact(found.entries)
		all = append(all, found)
	}
	sort.Slice(all, func(i, j int) bool { return written(all[i].labels) < written(all[j].labels) })
	return all, nil
}

func readHour(path string, q *query, from, to int64) ([]entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var entries []entry
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 8*maxLine)
	for lines.Scan() {
		number, quoted, _ := strings.Cut(lines.Text(), " ")
		at, err := strconv.ParseInt(number, 10, 64)
		var line string
		if err != nil || json.Unmarshal([]byte(quoted), &line) != nil {
			continue // the end of a file that was being written when the program was killed
		}
		if at > from && at <= to && !slices.ContainsFunc(q.filters, func(f filter) bool { return !f.holds(line) }) {
			entries = append(entries, entry{at, line})
		}
	}
	return entries, lines.Err()
}

func (s *store) hours(id string) []int64 {
	files, _ := os.ReadDir(filepath.Join(s.directory, id))
	var hours []int64
	for _, file := range files {
		if hour, err := strconv.ParseInt(file.Name(), 10, 64); err == nil {
			hours = append(hours, hour)
		}
	}
	return hours
}

// expire deletes what is older than that, and streams of which nothing is left.
func (s *store) expire(before time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.streams {
		hours, left := s.hours(id), 0
		for _, hour := range hours {
			if hour >= before.UnixNano()/int64(time.Hour) {
				left++
			} else if err := os.Remove(filepath.Join(s.directory, id, strconv.FormatInt(hour, 10))); err != nil {
				return err
			}
		}
		if left == 0 {
			if err := os.RemoveAll(filepath.Join(s.directory, id)); err != nil {
				return err
			}
			delete(s.streams, id)
		}
	}
	return nil
}

// labelSets are those of all streams that one of the queries selects, or simply of all.
func (s *store) labelSets(queries []*query) []map[string]string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sets := []map[string]string{}
	for _, labels := range s.streams {
		selected := func(q *query) bool {
			return !slices.ContainsFunc(q.matches, func(m match) bool { return !m.holds(labels[m.label]) })
		}
		if len(queries) == 0 || slices.ContainsFunc(queries, selected) {
			sets = append(sets, labels)
		}
	}
	return sets
}

func (s *store) count() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.streams)
}

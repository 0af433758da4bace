package main

import (
	"bufio"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"

	"vpai.sandbox/fakes/wire"
)

// sample is a number of a series at a time. The series is its labels as remote write has them, encoded and in order.
type sample struct {
	series string
	value  float64
	at     int64
}

// series encodes labels in the order of their names, as remote write wants them. Empty ones are none.
func series(labels map[string]string) string {
	names := make([]string, 0, len(labels))
	for name, value := range labels {
		if value != "" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var encoded []byte
	for _, name := range names {
		encoded = wire.Bytes(encoded, 1, wire.Bytes(wire.Bytes(nil, 1, name), 2, labels[name]))
	}
	return string(encoded)
}

// read reads Prometheus' text format. Labels of the target win; a label of the same name becomes `exported_…`.
func read(from io.Reader, target map[string]string, now time.Time) ([]sample, error) {
	var all []sample
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		labels, rest, err := readSeries(line)
		if err != nil {
			return nil, fmt.Errorf("%w in %q", err, line)
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 || len(fields) > 2 {
			return nil, fmt.Errorf("expected a value and perhaps a time in %q", line)
		}
		value, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return nil, fmt.Errorf("expected a value in %q", line)
		}
		at := now.UnixMilli()
		if len(fields) == 2 {
			if at, err = strconv.ParseInt(fields[1], 10, 64); err != nil {
				return nil, fmt.Errorf("expected a time in %q", line)
			}
		}
		for name, value := range target {
			if theirs, ok := labels[name]; ok {
				labels["exported_"+name] = theirs
			}
			labels[name] = value
		}
		all = append(all, sample{series(labels), value, at})
	}
	return all, lines.Err()
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:"

// readSeries parts `name{label="value"} 1` into its labels and what follows them.
func readSeries(line string) (map[string]string, string, error) {
	end := len(line) - len(strings.TrimLeft(line, nameCharacters))
	if end == 0 {
		return nil, "", fmt.Errorf("expected the name of a metric")
	}
	labels := map[string]string{"__name__": line[:end]}
	rest := strings.TrimLeft(line[end:], " \t")
	if !strings.HasPrefix(rest, "{") {
		return labels, rest, nil
	}
	rest = rest[1:]
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if strings.HasPrefix(rest, "}") {
			return labels, rest[1:], nil
		}
		name, after, ok := strings.Cut(rest, "=")
		after = strings.TrimLeft(after, " \t")
		if !ok || !strings.HasPrefix(after, `"`) {
			return nil, "", fmt.Errorf("expected a label")
		}
		value, left, err := readQuoted(after[1:])
		if err != nil {
			return nil, "", err
		}
		labels[strings.TrimSpace(name)], rest = value, left
	}
}

// readQuoted reads up to the closing quote. A backslash makes a line's end of n, and leaves the rest as it is.
func readQuoted(text string) (value, rest string, err error) {
	var built strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return built.String(), text[i+1:], nil
		case '\\':
			if i++; i < len(text) {
				if text[i] == 'n' {
					built.WriteByte('\n')
				} else {
					built.WriteByte(text[i])
				}
			}
		default:
			built.WriteByte(text[i])
		}
	}
	return "", "", fmt.Errorf("expected the end of a label's value")
}

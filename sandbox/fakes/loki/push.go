package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang/snappy"

	"vpai.sandbox/fakes/serve"
	"vpai.sandbox/fakes/wire"
)

// maxLine is Loki's limit of a line, in bytes.
const maxLine = 256 << 10

// push takes streams as JSON, or as Protocol Buffers packed with Snappy. It keeps what it can and says what it cannot.
func (l *loki) push(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
	var streams []stream
	switch kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); {
	case err != nil:
	case kind == "application/json" && r.Header.Get("Content-Encoding") == "":
		streams, err = fromJSON(body)
	case kind == "application/x-protobuf":
		if body, err = snappy.Decode(nil, body); err == nil {
			streams, err = fromProto(body)
		}
	default:
		err = fmt.Errorf("this fake of Loki takes application/json as it is and application/x-protobuf, not %s", kind)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var faults []string
	for _, each := range streams {
		kept, refused := l.judge(each)
		faults = append(faults, refused...)
		if len(kept) == 0 {
			continue
		}
		if err := l.store.add(each.labels, kept); err != nil {
			serve.Say("level=error msg=\"cannot write\" err=%q", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		bytes := 0
		for _, e := range kept {
			bytes += len(e.line)
		}
		l.metrics.Add("loki_distributor_lines_received_total", float64(len(kept)), "tenant", tenant)
		l.metrics.Add("loki_distributor_bytes_received_total", float64(bytes), "tenant", tenant)
	}
	l.metrics.Set("loki_ingester_memory_streams", float64(l.store.count()), "tenant", tenant)
	if len(faults) > 0 {
		serve.Say("level=warn msg=\"lines refused\" count=%d first=%q", len(faults), faults[0])
		http.Error(w, faults[0], http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// judge parts the lines of a stream that are kept from those that Loki refuses, with its words.
func (l *loki) judge(s stream) (kept []entry, faults []string) {
	refuse := func(reason, format string, values ...any) {
		l.metrics.Add("loki_discarded_samples_total", 1, "reason", reason, "tenant", tenant)
		faults = append(faults, fmt.Sprintf(format, values...))
	}
	limits := l.config.LimitsConfig
	for _, e := range s.entries {
		age := time.Since(time.Unix(0, e.at))
		switch {
		case len(s.labels) == 0:
			refuse("missing_labels", "error at least one label pair is required per stream")
		case len(e.line) > maxLine:
			refuse("line_too_long", "max entry size '%d' bytes exceeded for stream '%s' while adding an entry with length '%d' bytes", maxLine, written(s.labels), len(e.line))
		case limits.RejectOldSamples && age > limits.RejectOldSamplesMaxAge:
			refuse("greater_than_max_sample_age", "entry for stream '%s' has timestamp too old: %s", written(s.labels), time.Unix(0, e.at).UTC().Format(time.RFC3339))
		case age < -10*time.Minute:
			refuse("too_far_in_future", "entry for stream '%s' has timestamp too new: %s", written(s.labels), time.Unix(0, e.at).UTC().Format(time.RFC3339))
		default:
			kept = append(kept, e)
		}
	}
	return kept, faults
}

func fromJSON(body []byte) ([]stream, error) {
	var sent struct {
		Streams []struct {
			Stream map[string]string `json:"stream"`
			Values [][]any           `json:"values"`
		} `json:"streams"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	var all []stream
	for _, each := range sent.Streams {
		s := stream{labels: each.Stream}
		for _, value := range each.Values {
			if len(value) < 2 {
				return nil, errors.New("a value is a time and a line")
			}
			at, _ := value[0].(string)
			line, text := value[1].(string)
			nanos, err := strconv.ParseInt(at, 10, 64)
			if err != nil || !text {
				return nil, fmt.Errorf("a value is a time in nanoseconds and a line, both in quotes, not %v", value)
			}
			s.entries = append(s.entries, entry{nanos, line})
		}
		all = append(all, s)
	}
	return all, nil
}

func fromProto(body []byte) (all []stream, err error) {
	err = wire.Each(body, func(field int, _ uint64, value []byte) error {
		if field != 1 {
			return nil
		}
		var s stream
		err := wire.Each(value, func(field int, _ uint64, value []byte) error {
			switch field {
			case 1:
				selection, err := parse(string(value))
				if err != nil {
					return err
				}
				s.labels = map[string]string{}
				for _, m := range selection.matches {
					s.labels[m.label] = m.value
				}
			case 2:
				e, err := entryFromProto(value)
				s.entries = append(s.entries, e)
				return err
			}
			return nil
		})
		all = append(all, s)
		return err
	})
	return all, err
}

func entryFromProto(message []byte) (e entry, err error) {
	err = wire.Each(message, func(field int, _ uint64, value []byte) error {
		switch field {
		case 1:
			return wire.Each(value, func(field int, number uint64, _ []byte) error {
				switch field {
				case 1:
					e.at += int64(number) * int64(time.Second)
				case 2:
					e.at += int64(number)
				}
				return nil
			})
		case 2:
			e.line = string(value)
		}
		return nil
	})
	return e, err
}

// distinct are the names of all labels, or the values of one, sorted.
func distinct(sets []map[string]string, label string) []string {
	found := []string{}
	for _, labels := range sets {
		for name, value := range labels {
			if label == "" {
				found = append(found, name)
			} else if name == label {
				found = append(found, value)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

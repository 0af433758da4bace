package main

import (
	"encoding/json"
	"reflect"
	"slices"
	"sort"
	"strings"
)

type filter struct {
	Must    conditions `json:"must,omitempty"`
	Should  conditions `json:"should,omitempty"`
	MustNot conditions `json:"must_not,omitempty"`
}

// conditions are one or a list.
type conditions []condition

func (c *conditions) UnmarshalJSON(text []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil {
			return err
		}
		for _, each := range list {
			one, err := strictly[condition](each)
			if err != nil {
				return err
			}
			*c = append(*c, one)
		}
		return nil
	}
	one, err := strictly[condition](text)
	*c = conditions{one}
	return err
}

// A decoder's strictness does not reach into UnmarshalJSON.
func strictly[T any](text []byte) (value T, err error) {
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	return value, decoder.Decode(&value)
}

type condition struct {
	filter
	Key   string `json:"key,omitempty"`
	Match *struct {
		Value any   `json:"value,omitempty"`
		Any   []any `json:"any,omitempty"`
	} `json:"match,omitempty"`
	HasID []json.RawMessage `json:"has_id,omitempty"`
}

// matching lists the keys of a collection's points that a filter lets through, in order.
func matching(c *collection, f *filter) ([]string, error) {
	keys := make([]string, 0, len(c.Points))
	for key, each := range c.Points {
		ok, err := f.holds(key, each.Payload)
		if err != nil {
			return nil, err
		}
		if ok {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	return keys, nil
}

func (f *filter) holds(key string, payload map[string]any) (bool, error) {
	if f == nil {
		return true, nil
	}
	some := len(f.Should) == 0
	for _, each := range f.Should {
		ok, err := each.met(key, payload)
		if err != nil {
			return false, err
		}
		some = some || ok
	}
	for wanted, list := range map[bool]conditions{true: f.Must, false: f.MustNot} {
		for _, each := range list {
			if ok, err := each.met(key, payload); err != nil || ok != wanted {
				return false, err
			}
		}
	}
	return some, nil
}

func (c *condition) met(key string, payload map[string]any) (bool, error) {
	if c.HasID != nil {
		for _, id := range c.HasID {
			if wanted, err := pointKey(id); err != nil || wanted == key {
				return err == nil, err
			}
		}
		return false, nil
	}
	if c.Key == "" {
		return c.filter.holds(key, payload)
	}
	return slices.ContainsFunc(lookUp(payload, strings.Split(c.Key, ".")), c.fits), nil
}

func (c *condition) fits(value any) bool {
	same := func(other any) bool { return reflect.DeepEqual(other, value) }
	return c.Match != nil && (same(c.Match.Value) || slices.ContainsFunc(c.Match.Any, same))
}

// lookUp finds the values at a path; a list counts as each of its members.
func lookUp(value any, path []string) []any {
	if list, ok := value.([]any); ok {
		var found []any
		for _, each := range list {
			found = append(found, lookUp(each, path)...)
		}
		return found
	}
	if len(path) == 0 {
		return []any{value}
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	inner, ok := object[path[0]]
	if !ok {
		return nil
	}
	return lookUp(inner, path[1:])
}

package main

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"
)

const (
	hidden = "[secret]"
	// Shorter values are words that any output holds; hiding them would make it unreadable and betray them.
	shortestSecret = 8
)

// secrets are texts that must not be shown, longest first.
type secrets []string

// hide puts [secret] in the place of every one of them.
func (s secrets) hide(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return text
}

// secretsOf lists what went to the script by the ways that secrets go: stdin whole, its lines, the values in it if it is
// JSON, the values of its NAME=value lines; the environment; the keys and passwords of the connection.
func secretsOf(environment map[string]string, stdin *string, credentials []string) secrets {
	found := map[string]bool{}
	for _, value := range environment {
		collect(found, value)
	}
	for _, value := range credentials {
		collect(found, value)
	}
	if stdin != nil {
		collect(found, *stdin)
		var tree any
		if json.Unmarshal([]byte(*stdin), &tree) == nil {
			walk(tree, func(value string) { collect(found, value) })
		}
	}
	list := make(secrets, 0, len(found))
	for text := range found {
		list = append(list, text)
	}
	sort.Slice(list, func(i, j int) bool {
		if len(list[i]) != len(list[j]) {
			return len(list[i]) > len(list[j])
		}
		return list[i] < list[j]
	})
	return list
}

// A plain path is what an error is about, and no generated secret looks like one.
var plainPath = regexp.MustCompile(`^(/[a-z0-9._-]+)+/?$`)

var assignment = regexp.MustCompile(`^\s*(?:export\s+)?["']?[A-Za-z_][A-Za-z0-9_.-]*["']?\s*[=:]\s*(.+)$`)

func collect(found map[string]bool, text string) {
	add := func(value string) {
		if len(value) >= shortestSecret && !plainPath.MatchString(value) {
			found[value] = true
		}
	}
	add(strings.TrimSpace(text))
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		add(line)
		if parts := assignment.FindStringSubmatch(line); parts != nil {
			add(strings.Trim(parts[1], `"', `))
		}
	}
}

func walk(node any, each func(string)) {
	switch value := node.(type) {
	case string:
		each(value)
	case []any:
		for _, item := range value {
			walk(item, each)
		}
	case map[string]any:
		for _, item := range value {
			walk(item, each)
		}
	}
}

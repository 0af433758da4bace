package serve

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sort"
	"strings"
)

// JSON answers with a status and a body.
func JSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// Read decodes a request's JSON strictly: an unknown member is an error.
func Read(r *http.Request, into any) error {
	decoder := json.NewDecoder(io.LimitReader(r.Body, 32<<20))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// Same compares secrets in constant time; an empty wanted one never matches.
func Same(given, wanted string) bool {
	return wanted != "" && subtle.ConstantTimeCompare([]byte(given), []byte(wanted)) == 1
}

// Bearer is the request's bearer token.
func Bearer(r *http.Request) string {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

// Secret reads NAME, else the file that NAME+suffix names, without its end of line.
func Secret(name, suffix string) (string, error) {
	if value := os.Getenv(name); value != "" {
		return value, nil
	}
	file := os.Getenv(name + suffix)
	if file == "" {
		return "", nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s%s: %w", name, suffix, err)
	}
	return strings.TrimSpace(string(content)), nil
}

// UnknownVariables lists environment variables that begin with one of the prefixes and are not known. Products ignore
// them; a fake refuses, so that a misspelt one is found.
func UnknownVariables(prefixes, known []string) error {
	var faults []string
	for _, line := range os.Environ() {
		name, _, _ := strings.Cut(line, "=")
		guarded := slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if guarded && !slices.Contains(known, name) {
			faults = append(faults, name)
		}
	}
	sort.Strings(faults)
	if len(faults) > 0 {
		return fmt.Errorf("variables that this fake does not know: %s", strings.Join(faults, ", "))
	}
	return nil
}

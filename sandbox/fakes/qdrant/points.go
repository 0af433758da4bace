package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$`)

// pointKey tells the identity of a point by its JSON: an unsigned integer or a UUID.
func pointKey(id json.RawMessage) (string, error) {
	var name string
	if json.Unmarshal(id, &name) == nil && uuid.MatchString(name) {
		return strings.ToLower(strings.ReplaceAll(name, "-", "")), nil
	}
	if number, err := strconv.ParseUint(string(id), 10, 64); err == nil {
		// Numbers come before names, in their own order.
		return "#" + strings.Repeat("0", 20-len(strconv.FormatUint(number, 10))) + strconv.FormatUint(number, 10), nil
	}
	return "", fault{http.StatusBadRequest, "Format error in JSON body: value " + string(id) + " is not a valid point ID, valid values are either an unsigned integer or a UUID"}
}

// What is asked of the points; each request knows some of it.
type question struct {
	Vector         []float64         `json:"vector,omitempty"`
	Query          json.RawMessage   `json:"query,omitempty"`
	Filter         *filter           `json:"filter,omitempty"`
	Limit          *int              `json:"limit,omitempty"`
	Offset         json.RawMessage   `json:"offset,omitempty"`
	WithPayload    json.RawMessage   `json:"with_payload,omitempty"`
	WithVector     *bool             `json:"with_vector,omitempty"`
	WithVectors    *bool             `json:"with_vectors,omitempty"`
	ScoreThreshold *float64          `json:"score_threshold,omitempty"`
	Params         map[string]any    `json:"params,omitempty"`
	Exact          *bool             `json:"exact,omitempty"`
	IDs            []json.RawMessage `json:"ids,omitempty"`
	Points         []json.RawMessage `json:"points,omitempty"`
}

func (s *server) pointRoutes(mux *http.ServeMux) {
	const base = "/collections/{name}/points"
	route := func(method, path string, work func(*collection, *http.Request) (any, bool, error)) {
		endpoint := "/collections/{collection_name}/points" + path
		handler := answering(func(r *http.Request) (result any, err error) {
			err = s.store.with(r.PathValue("name"), func(c *collection) (changed bool, err error) {
				result, changed, err = work(c, r)
				return changed, err
			})
			return result, err
		})
		mux.Handle(method+" "+base+path, serve.Observed(handler, func(_ *http.Request, status int, took time.Duration) {
			s.count(method, endpoint, status, took)
		}))
	}
	route("PUT", "", upsert)
	route("POST", "/delete", remove)
	route("POST", "", reading(retrieve))
	route("POST", "/count", reading(func(c *collection, q question) (any, error) {
		found, err := matching(c, q.Filter)
		return map[string]int{"count": len(found)}, err
	}))
	route("POST", "/scroll", reading(scroll))
	route("POST", "/search", reading(func(c *collection, q question) (any, error) { return nearest(c, q, q.Vector) }))
	route("POST", "/query", reading(query))
}

func reading(work func(*collection, question) (any, error)) func(*collection, *http.Request) (any, bool, error) {
	return func(c *collection, r *http.Request) (any, bool, error) {
		asked, err := body[question](r)
		if err != nil {
			return nil, false, err
		}
		result, err := work(c, asked)
		return result, false, err
	}
}

func upsert(c *collection, r *http.Request) (any, bool, error) {
	sent, err := body[struct {
		Points []point `json:"points"`
	}](r)
	if err != nil {
		return nil, false, err
	}
	added := map[string]point{}
	for _, each := range sent.Points {
		key, err := pointKey(each.ID)
		if err != nil {
			return nil, false, err
		}
		if len(each.Vector) != c.Vectors.Size {
			return nil, false, wrong("Vector dimension error: expected dim: %d, got %d", c.Vectors.Size, len(each.Vector))
		}
		if c.Vectors.Distance == "Cosine" {
			each.Vector = normal(each.Vector)
		}
		added[key] = each
	}
	for key, each := range added {
		c.Points[key] = each
	}
	return done(c, r), true, nil
}

func remove(c *collection, r *http.Request) (any, bool, error) {
	asked, err := body[question](r)
	if err != nil {
		return nil, false, err
	}
	gone := []string{}
	for _, id := range asked.Points {
		key, err := pointKey(id)
		if err != nil {
			return nil, false, err
		}
		gone = append(gone, key)
	}
	if asked.Points == nil {
		if asked.Filter == nil {
			return nil, false, wrong("points or a filter")
		}
		if gone, err = matching(c, asked.Filter); err != nil {
			return nil, false, err
		}
	}
	for _, key := range gone {
		delete(c.Points, key)
	}
	return done(c, r), true, nil
}

func done(c *collection, r *http.Request) any {
	status := "acknowledged"
	if r.URL.Query().Get("wait") == "true" {
		status = "completed"
	}
	return map[string]any{"operation_id": c.Operations, "status": status}
}

func retrieve(c *collection, q question) (any, error) {
	found := []any{}
	for _, id := range q.IDs {
		key, err := pointKey(id)
		if err != nil {
			return nil, err
		}
		if each, ok := c.Points[key]; ok {
			found = append(found, record(each, q, true))
		}
	}
	return found, nil
}

func scroll(c *collection, q question) (any, error) {
	keys, err := matching(c, q.Filter)
	if err != nil {
		return nil, err
	}
	from := ""
	if len(q.Offset) > 0 && string(q.Offset) != "null" {
		if from, err = pointKey(q.Offset); err != nil {
			return nil, err
		}
	}
	page, next := []any{}, json.RawMessage("null")
	for _, key := range keys {
		if key < from {
			continue
		}
		if len(page) == limit(q) {
			next = c.Points[key].ID
			break
		}
		page = append(page, record(c.Points[key], q, true))
	}
	return map[string]any{"points": page, "next_page_offset": next}, nil
}

func limit(q question) int {
	if q.Limit == nil {
		return 10
	}
	return *q.Limit
}

// record is a point as it is answered; whether with its payload unless asked differs from request to request.
func record(p point, q question, payload bool) map[string]any {
	answer := map[string]any{"id": p.ID}
	var keys []string
	if json.Unmarshal(q.WithPayload, &keys) == nil && keys != nil {
		some := map[string]any{}
		for _, key := range keys {
			if value, ok := p.Payload[key]; ok {
				some[key] = value
			}
		}
		answer["payload"] = some
	} else if _ = json.Unmarshal(q.WithPayload, &payload); payload {
		answer["payload"] = p.Payload
	}
	if (q.WithVector != nil && *q.WithVector) || (q.WithVectors != nil && *q.WithVectors) {
		answer["vector"] = p.Vector
	}
	return answer
}

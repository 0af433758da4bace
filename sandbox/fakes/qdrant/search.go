package main

import (
	"encoding/json"
	"math"
	"net/http"
	"sort"
)

// query takes a vector, {"nearest": vector}, or the identity of a point, which is then not among the answers.
func query(c *collection, q question) (any, error) {
	var vector []float64
	var nested struct {
		Nearest []float64 `json:"nearest"`
	}
	if json.Unmarshal(q.Query, &vector) != nil && (json.Unmarshal(q.Query, &nested) != nil || nested.Nearest == nil) {
		key, err := pointKey(q.Query)
		if err != nil {
			return nil, fault{http.StatusBadRequest, "Format error in JSON body: this fake takes a vector or a point's id as query"}
		}
		like, ok := c.Points[key]
		if !ok {
			return nil, notFound("No point with id %s found", q.Query)
		}
		not := &filter{MustNot: []condition{{HasID: []json.RawMessage{like.ID}}}}
		if q.Filter != nil {
			not.Must = []condition{{filter: *q.Filter}}
		}
		q.Filter, vector = not, like.Vector
	}
	if nested.Nearest != nil {
		vector = nested.Nearest
	}
	points, err := nearest(c, q, vector)
	return map[string]any{"points": points}, err
}

func nearest(c *collection, q question, vector []float64) ([]any, error) {
	if len(vector) != c.Vectors.Size {
		return nil, wrong("Vector dimension error: expected dim: %d, got %d", c.Vectors.Size, len(vector))
	}
	keys, err := matching(c, q.Filter)
	if err != nil {
		return nil, err
	}
	if c.Vectors.Distance == "Cosine" {
		vector = normal(vector)
	}
	far := c.Vectors.Distance == "Euclid"
	score := map[string]float64{}
	kept := keys[:0]
	for _, key := range keys {
		score[key] = similarity(c.Vectors.Distance, vector, c.Points[key].Vector)
		if q.ScoreThreshold == nil || (far && score[key] <= *q.ScoreThreshold) || (!far && score[key] >= *q.ScoreThreshold) {
			kept = append(kept, key)
		}
	}
	sort.SliceStable(kept, func(i, j int) bool {
		if far {
			return score[kept[i]] < score[kept[j]]
		}
		return score[kept[i]] > score[kept[j]]
	})
	var skip int
	_ = json.Unmarshal(q.Offset, &skip)
	found := []any{}
	for _, key := range kept[min(skip, len(kept)):] {
		if len(found) == limit(q) {
			break
		}
		each := record(c.Points[key], q, false)
		each["score"], each["version"] = score[key], c.Operations
		found = append(found, each)
	}
	return found, nil
}

func normal(vector []float64) []float64 {
	length := math.Sqrt(similarity("Dot", vector, vector))
	if length == 0 {
		return vector
	}
	unit := make([]float64, len(vector))
	for i, value := range vector {
		unit[i] = value / length
	}
	return unit
}

func similarity(distance string, a, b []float64) float64 {
	var dot, square float64
	for i := range a {
		dot += a[i] * b[i]
		square += (a[i] - b[i]) * (a[i] - b[i])
	}
	if distance == "Euclid" {
		return math.Sqrt(square)
	}
	return dot
}

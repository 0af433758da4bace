package main

import (
	"net/http"
	"regexp"
	"slices"
)

// The characters that Qdrant refuses in a name.
var badName = regexp.MustCompile(`[<>:"/\\|?*\x00\x1f]`)

func (s *server) collectionRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /collections", answering(func(*http.Request) (any, error) {
		list := []map[string]string{}
		for _, name := range s.store.names() {
			list = append(list, map[string]string{"name": name})
		}
		return map[string]any{"collections": list}, nil
	}))
	mux.HandleFunc("GET /collections/{name}/exists", answering(func(r *http.Request) (any, error) {
		return map[string]bool{"exists": slices.Contains(s.store.names(), r.PathValue("name"))}, nil
	}))
	mux.HandleFunc("GET /collections/{name}", answering(s.describe))
	mux.HandleFunc("PUT /collections/{name}", answering(s.create))
	mux.HandleFunc("DELETE /collections/{name}", answering(func(r *http.Request) (any, error) {
		return s.store.remove(r.PathValue("name"))
	}))
}

func (s *server) create(r *http.Request) (any, error) {
	wanted, err := body[struct {
		Vectors *vectorParams `json:"vectors"`
	}](r)
	name := r.PathValue("name")
	switch {
	case err != nil:
		return nil, err
	case badName.MatchString(name) || len(name) > 255:
		return nil, fault{http.StatusUnprocessableEntity, "Validation error in path: collection name cannot contain such characters"}
	case wanted.Vectors == nil || wanted.Vectors.Size < 1:
		return nil, fault{http.StatusUnprocessableEntity, "Validation error in JSON body: [vectors.size: this fake wants one unnamed vector with a size]"}
	case !slices.Contains([]string{"Cosine", "Dot", "Euclid"}, wanted.Vectors.Distance):
		return nil, fault{http.StatusBadRequest, "Format error in JSON body: this fake knows the distances Cosine, Dot and Euclid"}
	}
	if wanted.Vectors.OnDisk == nil {
		wanted.Vectors.OnDisk = s.config.Storage.Collection.Vectors.OnDisk
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if _, exists := s.store.collections[name]; exists {
		return nil, fault{http.StatusConflict, "Wrong input: Collection `" + name + "` already exists!"}
	}
	return true, s.store.put(&collection{Name: name, Vectors: *wanted.Vectors, Points: map[string]point{}})
}

func (s *server) describe(r *http.Request) (result any, err error) {
	err = s.store.with(r.PathValue("name"), func(c *collection) (bool, error) {
		params := map[string]any{"vectors": c.Vectors, "shard_number": 1, "replication_factor": 1, "write_consistency_factor": 1, "on_disk_payload": true}
		result = map[string]any{
			"status": "green", "optimizer_status": "ok", "segments_count": 2,
			"points_count": len(c.Points), "indexed_vectors_count": 0,
			"config": map[string]any{"params": params}, "payload_schema": map[string]any{},
		}
		return false, nil
	})
	return result, err
}

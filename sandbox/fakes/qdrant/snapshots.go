package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

type snapshot struct {
	Name     string `json:"name"`
	Created  string `json:"creation_time"`
	Size     int64  `json:"size"`
	Checksum string `json:"checksum"`
}

func (s *server) snapshotRoutes(mux *http.ServeMux) {
	const base = "/collections/{name}/snapshots"
	mux.HandleFunc("POST "+base, answering(func(r *http.Request) (made any, err error) {
		err = s.store.with(r.PathValue("name"), func(c *collection) (bool, error) {
			c.Snapshots++
			made, err = s.store.snapshot(c)
			return false, err
		})
		return made, err
	}))
	mux.HandleFunc("GET "+base, answering(func(r *http.Request) (any, error) {
		return s.store.list(filepath.Join(s.store.snapshots, r.PathValue("name")))
	}))
	mux.HandleFunc("PUT "+base+"/recover", answering(s.recover))
	mux.HandleFunc("GET "+base+"/{snapshot}", s.download)
	mux.HandleFunc("DELETE "+base+"/{snapshot}", answering(s.discard))
}

// snapshot saves one collection below the snapshots directory: an archive as Qdrant's, with what this fake keeps.
func (s *store) snapshot(c *collection) (snapshot, error) {
	directory := filepath.Join(s.snapshots, c.Name)
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return snapshot{}, err
	}
	var archive bytes.Buffer
	writer, content := tar.NewWriter(&archive), mustJSON(c)
	err := writer.WriteHeader(&tar.Header{Name: "fake.json", Mode: 0o600, Size: int64(len(content))})
	_, failed := writer.Write(content)
	if err := errors.Join(err, failed, writer.Close()); err != nil {
		return snapshot{}, err
	}
	now := time.Now().UTC().Format("2006-01-02-15-04-05")
	path := filepath.Join(directory, fmt.Sprintf("%s-%d-%s.snapshot", c.Name, rand.Uint64(), now))
	if err := writeFile(path, archive.Bytes()); err != nil {
		return snapshot{}, err
	}
	if err := writeFile(path+".checksum", []byte(sum(archive.Bytes()))); err != nil {
		return snapshot{}, err
	}
	return look(path)
}

func sum(content []byte) string {
	hash := sha256.Sum256(content)
	return hex.EncodeToString(hash[:])
}

func look(path string) (snapshot, error) {
	info, err := os.Stat(path)
	if err != nil {
		return snapshot{}, err
	}
	checksum, err := os.ReadFile(path + ".checksum")
	created := info.ModTime().UTC().Format("2006-01-02T15:04:05")
	return snapshot{info.Name(), created, info.Size(), string(checksum)}, err
}

func (s *store) list(directory string) (any, error) {
	files, err := filepath.Glob(filepath.Join(directory, "*.snapshot"))
	sort.Strings(files)
	found := []snapshot{}
	for _, file := range files {
		each, err := look(file)
		if err != nil {
			return nil, err
		}
		found = append(found, each)
	}
	return found, err
}

// place is where the snapshot that a request names lies.
func (s *server) place(r *http.Request) (string, error) {
	name := r.PathValue("snapshot")
	path := filepath.Join(s.store.snapshots, r.PathValue("name"), filepath.Base(name))
	if _, err := os.Stat(path); err != nil || !strings.HasSuffix(name, ".snapshot") {
		return "", notFound("Snapshot %s", name)
	}
	return path, nil
}

func (s *server) download(w http.ResponseWriter, r *http.Request) {
	path, err := s.place(r)
	if err != nil {
		fail(w, http.StatusNotFound, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeFile(w, r, path)
}

func (s *server) discard(r *http.Request) (any, error) {
	path, err := s.place(r)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	return true, os.Remove(path + ".checksum")
}

// recover makes a collection what it is in a snapshot; from a file below the snapshots directory alone.
func (s *server) recover(r *http.Request) (any, error) {
	wanted, err := body[struct {
		Location string `json:"location"`
		Priority string `json:"priority"`
	}](r)
	if err != nil {
		return nil, err
	}
	location, err := url.Parse(wanted.Location)
	if err != nil || location.Scheme != "file" {
		return nil, wrong("this fake recovers from file:// alone, not from %q", wanted.Location)
	}
	root, err := filepath.EvalSymlinks(s.store.snapshots)
	if err != nil {
		return nil, err
	}
	path, err := filepath.EvalSymlinks(location.Path)
	if missing(err) {
		return nil, wrong("Snapshot file %q does not exist", location.Path)
	}
	if err != nil || !strings.HasPrefix(path, root+"/") {
		return nil, fault{http.StatusForbidden, fmt.Sprintf("Forbidden: Snapshot file %q must be inside snapshots directory", location.Path)}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found, err := unpack(content)
	if err != nil {
		return nil, wrong("not a snapshot of this fake: %v", err)
	}
	found.Name = r.PathValue("name")
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if old, exists := s.store.collections[found.Name]; exists &&
		(old.Vectors.Size != found.Vectors.Size || old.Vectors.Distance != found.Vectors.Distance) {
		return nil, wrong("Snapshot is not compatible with existing collection: Collection vectors: %v Snapshot Vectors: %v", old.Vectors, found.Vectors)
	}
	return true, s.store.put(found)
}

func unpack(content []byte) (*collection, error) {
	reader := tar.NewReader(bytes.NewReader(content))
	for {
		header, err := reader.Next()
		if err != nil {
			return nil, err
		}
		if header.Name != "fake.json" {
			continue
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		found := &collection{}
		return found, json.Unmarshal(text, found)
	}
}

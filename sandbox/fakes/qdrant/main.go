// The sandbox's fake of Qdrant: collections, points and snapshots over its REST API, kept in its storage directory.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

type server struct {
	*serve.Fake
	config  Config
	store   *store
	metrics *serve.Metrics
}

func main() {
	fake := serve.New("Qdrant", "no gRPC (6334 stays closed), no index, named or sparse vectors, cluster, JWT or web interface")
	path, err := configPath(os.Args[1:])
	if err != nil {
		serve.Fail(err)
	}
	known := []string{"QDRANT_INIT_FILE_PATH", "QDRANT_ALLOW_RECOVERY_MODE"}
	if err := serve.UnknownVariables([]string{"QDRANT"}, known); err != nil {
		serve.Fail(err)
	}
	config, found, err := readConfig(path)
	if err != nil {
		serve.Fail(err)
	}
	if !found {
		serve.Say("ERROR qdrant::settings: Config file via --config-path is not found: %s", path)
	}
	initFile := os.Getenv("QDRANT_INIT_FILE_PATH")
	if initFile == "" {
		initFile = ".qdrant-initialized"
	}
	_ = os.Remove(initFile)
	temporary := filepath.Join(config.Storage.SnapshotsPath, "tmp")
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		serve.Fail(fmt.Errorf("Failed to create snapshots temp directory at %s: %w", temporary, err))
	}
	loaded, err := openStore(config.Storage.StoragePath, config.Storage.SnapshotsPath)
	if err != nil {
		serve.Fail(err)
	}
	if err := os.WriteFile(initFile, nil, 0o644); err != nil {
		serve.Fail(fmt.Errorf("Failed to create init file indicator: %w", err))
	}
	s := &server{Fake: fake, config: config, store: loaded, metrics: serve.NewMetrics()}
	s.Run(s.authorised(s.Handle(s.routes())), nil, fmt.Sprintf("%s:%d", config.Service.Host, config.Service.HTTPPort))
}

func configPath(args []string) (string, error) {
	switch {
	case len(args) == 0:
		return "", nil
	case len(args) == 2 && args[0] == "--config-path":
		return args[1], nil
	}
	return "", fmt.Errorf("this fake takes --config-path alone, not: %s", strings.Join(args, " "))
}

// Who may do what: the key everything, the read-only key what changes nothing.
func (s *server) authorised(next http.Handler) http.Handler {
	open := map[string]bool{"/": true, "/healthz": true, "/livez": true, "/readyz": true}
	reads := map[string]bool{"": true, "count": true, "query": true, "scroll": true, "search": true}
	service := s.config.Service
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if service.APIKey+service.AltAPIKey+service.ReadOnlyAPIKey == "" || open[r.URL.Path] {
			next.ServeHTTP(w, r)
			return
		}
		key := r.Header.Get("api-key")
		if key == "" {
			key = serve.Bearer(r)
		}
		_, points, isPoints := strings.Cut(r.URL.Path, "/points")
		reading := r.Method == http.MethodPost && isPoints && reads[strings.TrimPrefix(points, "/")]
		reading = reading || r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/snapshots")
		switch {
		case key == "":
			http.Error(w, "Must provide an API key or an Authorization bearer token", http.StatusUnauthorized)
		case serve.Same(key, service.APIKey), serve.Same(key, service.AltAPIKey):
			next.ServeHTTP(w, r)
		case !serve.Same(key, service.ReadOnlyAPIKey):
			http.Error(w, "Invalid API key or JWT", http.StatusUnauthorized)
		case reading:
			next.ServeHTTP(w, r)
		default:
			fail(w, http.StatusForbidden, "Forbidden: Global manage access is required")
		}
	})
}

func (s *server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	text := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
	}
	mux.HandleFunc("GET /healthz", text("healthz check passed"))
	mux.HandleFunc("GET /livez", text("healthz check passed"))
	mux.HandleFunc("GET /readyz", text("all shards are ready"))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		serve.JSON(w, http.StatusOK, map[string]string{"title": "qdrant (sandbox fake)", "version": s.version()})
	})
	mux.HandleFunc("GET /metrics", s.tell)
	mux.HandleFunc("GET /telemetry", answering(func(*http.Request) (any, error) {
		app := map[string]string{"name": "qdrant", "version": s.version()}
		count := map[string]int{"number_of_collections": len(s.store.names())}
		return map[string]any{"app": app, "collections": count}, nil
	}))
	s.collectionRoutes(mux)
	s.pointRoutes(mux)
	s.snapshotRoutes(mux)
	return mux
}

func (s *server) version() string { return strings.TrimPrefix(s.Version, "v") }

// A fault with the status that Qdrant gives it.
type fault struct {
	status int
	text   string
}

func (f fault) Error() string { return f.text }

func wrong(format string, values ...any) error {
	return fault{http.StatusBadRequest, "Wrong input: " + fmt.Sprintf(format, values...)}
}

func notFound(format string, values ...any) error {
	return fault{http.StatusNotFound, "Not found: " + fmt.Sprintf(format, values...)}
}

// answering wraps a result or a fault as Qdrant does.
func answering(work func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		result, err := work(r)
		if err == nil {
			serve.JSON(w, http.StatusOK, map[string]any{"result": result, "status": "ok", "time": time.Since(begun).Seconds()})
			return
		}
		status := http.StatusInternalServerError
		if known, ok := err.(fault); ok {
			status = known.status
		}
		fail(w, status, err.Error())
	}
}

func fail(w http.ResponseWriter, status int, text string) {
	serve.JSON(w, status, map[string]any{"status": map[string]string{"error": text}, "time": 0})
}

// body decodes a request's JSON strictly.
func body[T any](r *http.Request) (value T, err error) {
	if err = serve.Read(r, &value); err != nil {
		err = fault{http.StatusBadRequest, "Format error in JSON body: " + err.Error()}
	}
	return value, err
}

func mustJSON(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}

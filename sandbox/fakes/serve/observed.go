package serve

import (
	"net/http"
	"time"
)

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Observed has a handler answer, and tells with which status and in what time.
func Observed(next http.Handler, tell func(r *http.Request, status int, took time.Duration)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, started := &statusWriter{w, http.StatusOK}, time.Now()
		next.ServeHTTP(seen, r)
		tell(r, seen.status, time.Since(started))
	})
}

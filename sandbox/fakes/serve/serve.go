// Package serve is what all fakes share: how they introduce themselves, listen, end, and refuse what they do not know.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Fake is one product that a program stands in for.
type Fake struct {
	// Product is its name, as in "Fake of Qdrant".
	Product string
	// Missing says in one line what it does not do.
	Missing string
	// Version is the image's tag, as the sandbox wrote it to /VERSION.
	Version string
	Started time.Time
}

// New introduces the fake in the log. It ends the program when the image has no /VERSION.
func New(product, missing string) *Fake {
	version, err := os.ReadFile("/VERSION")
	if err != nil {
		Fail(err)
	}
	fake := &Fake{Product: product, Missing: missing, Version: strings.TrimSpace(string(version)), Started: time.Now()}
	Say("Fake of %s for the sandbox, version %s: %s", product, fake.Version, missing)
	return fake
}

// Say writes one line of the log.
func Say(format string, values ...any) {
	fmt.Printf("%s "+format+"\n", append([]any{time.Now().UTC().Format(time.RFC3339)}, values...)...)
}

// Fail ends the program as a product does that cannot start.
func Fail(err error) {
	fmt.Fprintf(os.Stderr, "Error: %v\n", err)
	os.Exit(1)
}

// Handle answers a request of a known path; an unknown one gets 404 and is told that this is a fake.
func (d *Fake) Handle(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern == "" {
			http.Error(w, fmt.Sprintf("%s %s: the sandbox's fake of %s does not do this", r.Method, r.URL.Path, d.Product), http.StatusNotFound)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Run listens on each address and works until SIGTERM or SIGINT; requests under way then have ten seconds to end.
// background runs beside it; an error of it ends the program.
func (d *Fake) Run(handler http.Handler, background func(context.Context) error, addresses ...string) {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	hold(footprints[d.Product].start)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 30 * time.Second}
	ended := make(chan error, len(addresses)+1)
	for _, address := range addresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			Fail(err)
		}
		go func() { ended <- server.Serve(listener) }()
	}
	if background != nil {
		go func() {
			if err := background(ctx); err != nil && ctx.Err() == nil {
				ended <- err
			}
		}()
	}
	select {
	case err := <-ended:
		Fail(err)
	case <-ctx.Done():
		Say("ending")
		limit, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		if err := server.Shutdown(limit); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			Fail(err)
		}
	}
}

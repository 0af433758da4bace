// A fake of n8n: the environment, files, tables and addresses of the product, and the simplest of its workflows.
package main

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
	_ "time/tzdata"

	"vpai.sandbox/fakes/serve"
)

func main() {
	if arguments := os.Args[1:]; len(arguments) > 0 && arguments[0] != "start" {
		fmt.Fprintf(os.Stderr, "The fake of n8n knows the command \"start\" only, not %q\n", arguments[0])
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	version, err := os.ReadFile("/VERSION")
	if err != nil {
		return err
	}
	app := &App{version: strings.TrimSpace(string(version)), started: time.Now(), metrics: serve.NewMetrics()}
	say("Fake of n8n for the sandbox, version %s: workflows of a webhook and a few nodes only, no editor", app.version)
	if app.settings, err = readSettings(os.Environ()); err != nil {
		return err
	}
	for _, name := range []string{app.settings.timezone, os.Getenv("TZ")} {
		if _, err := time.LoadLocation(name); err != nil {
			return fmt.Errorf("no such time zone: %q", name)
		}
	}
	key, err := loadKey(app.settings.folder, app.settings.encryptionKey)
	if err != nil {
		return err
	}
	app.instance, app.secret = instanceID(key), cookieSecret(key, app.settings.jwtSecret)

	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	listener, err := net.Listen("tcp", net.JoinHostPort(app.settings.listen, app.settings.listenPort))
	if err != nil && app.settings.listen == "::" { // no IPv6 here
		listener, err = net.Listen("tcp", net.JoinHostPort("0.0.0.0", app.settings.listenPort))
	}
	if err != nil {
		return err
	}
	server := &http.Server{Handler: app.routes()}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(listener) }()
	go app.watchLag(stop)
	go func() {
		if err := app.prepare(stop); err != nil && stop.Err() == nil {
			ended <- err
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-stop.Done():
		return app.shutDown(server)
	}
}

// prepare connects, migrates, and then watches the connection as n8n's ping does.
func (app *App) prepare(ctx context.Context) error {
	pool, err := connect(ctx, app.settings)
	if err != nil {
		return fmt.Errorf("There was an error initializing DB: %w", err)
	}
	app.pool = pool
	app.connected.Store(true)
	if err := migrate(ctx, pool); err != nil {
		return fmt.Errorf("There was an error running database migrations: %w", err)
	}
	if app.settings.ownerByEnv {
		if _, err := setOwner(ctx, pool, app.settings.owner, true); err != nil {
			return err
		}
	}
	app.migrated.Store(true)
	say("n8n ready on %s, port %s", app.settings.listen, app.settings.listenPort)
	say("Version: %s", app.version)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(2 * time.Second):
			ping, cancel := context.WithTimeout(ctx, 5*time.Second)
			alive := pool.Ping(ping) == nil
			cancel()
			if was := app.connected.Swap(alive); was != alive && ctx.Err() == nil {
				say("Database connection: %v", map[bool]string{true: "recovered", false: "lost"}[alive])
			}
		}
	}
}

// shutDown lets requests under way finish, as long as n8n would.
func (app *App) shutDown(server *http.Server) error {
	say("Received SIGTERM. Shutting down...")
	limit, cancel := context.WithTimeout(context.Background(), time.Duration(app.settings.shutdownSeconds)*time.Second)
	defer cancel()
	err := server.Shutdown(limit)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("requests were still under way after %d s", app.settings.shutdownSeconds)
	}
	if app.pool != nil {
		app.pool.Close()
	}
	return err
}

func say(format string, values ...any) {
	fmt.Printf("%s | "+format+"\n", append([]any{time.Now().UTC().Format(time.RFC3339)}, values...)...)
}

// The sandbox's fake of DIUN: tells when a registry has a tag that it has not seen.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"vpai.sandbox/fakes/serve"
)

func main() {
	args := os.Args[1:]
	switch {
	case len(args) > 0 && args[0] == "serve":
		serveForever(args[1:])
	case len(args) > 0 && args[0] == "healthcheck":
		client("/health", args[1:])
	case len(args) > 1 && args[0] == "image" && args[1] == "list":
		client("/images", args[2:])
	default:
		serve.Fail(fmt.Errorf("this fake knows serve, healthcheck and image list, not: %s", strings.Join(args, " ")))
	}
}

func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func serveForever(args []string) {
	flags := flag.NewFlagSet("diun serve", flag.ExitOnError)
	file := flags.String("config", os.Getenv("CONFIG"), "")
	level := flags.String("log-level", variable("LOG_LEVEL", "info"), "")
	inJSON := flags.Bool("log-json", os.Getenv("LOG_JSON") == "true", "")
	authority := flags.String("grpc-authority", variable("GRPC_AUTHORITY", ":42286"), "")
	_ = flags.Parse(args)
	fake := serve.New("DIUN", "the file provider and the script notifier alone; its own protocol instead of gRPC")
	if err := serve.UnknownVariables([]string{"DIUN_"}, []string{"DIUN_DB_PATH"}); err != nil {
		serve.Fail(err)
	}
	d := &diun{version: fake.Version, log: &logger{json: *inJSON, debug: *level == "debug"}}
	d.log.say("info", "Starting Diun", "version", d.version)
	config, err := readConfig(*file)
	if err != nil {
		d.log.fatal("Cannot load configuration", err)
	}
	d.config = config
	d.log.say("info", "Configuration loaded from file: "+*file)
	cron, err := parseSchedule(config.Watch.Schedule)
	if err != nil {
		d.log.fatal("Cannot start Diun", err)
	}
	if err := d.load(); err != nil {
		d.log.fatal("Cannot initialize Diun", err)
	}
	fake.Run(fake.Handle(d.routes()), func(ctx context.Context) error { return d.watch(ctx, cron) }, *authority)
}

func (d *diun) watch(ctx context.Context, cron schedule) error {
	if d.config.Watch.RunOnStartup == nil || *d.config.Watch.RunOnStartup {
		d.run()
	}
	d.log.say("info", "Cron initialized with schedule "+d.config.Watch.Schedule)
	d.mu.Lock()
	d.healthy = true
	d.mu.Unlock()
	for {
		next := cron.next(time.Now())
		d.log.say("info", fmt.Sprintf("Next run in %s (%s)", time.Until(next).Round(time.Second), next))
		if d.config.Watch.Jitter > 0 {
			next = next.Add(rand.N(d.config.Watch.Jitter))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(next)):
			d.run()
		}
	}
}

func (d *diun) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.healthy {
			http.Error(w, "unhealthy: scheduler: not serving", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "healthy")
	})
	mux.HandleFunc("GET /images", func(w http.ResponseWriter, _ *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		fmt.Fprint(w, d.table())
	})
	return mux
}

func (d *diun) table() string {
	names := make([]string, 0, len(d.seen))
	for name := range d.seen {
		names = append(names, name)
	}
	sort.Strings(names)
	table := "| NAME | MANIFESTS COUNT | LATEST TAG | LATEST CREATED | LATEST DIGEST |\n"
	for _, name := range names {
		latest := ""
		for tag := range d.seen[name] {
			if latest == "" || newer(tag, latest) {
				latest = tag
			}
		}
		found := d.seen[name][latest]
		table += fmt.Sprintf("| %s | %d | %s | %s | %s |\n", name, len(d.seen[name]), latest, found.Created.Format(time.RFC3339), found.Digest)
	}
	return table + fmt.Sprintf("| TOTAL | %d | | | |\n", len(names))
}

// client is the same program, run beside the one that serves.
func client(path string, args []string) {
	flags := flag.NewFlagSet("diun", flag.ExitOnError)
	authority := flags.String("grpc-authority", "127.0.0.1:42286", "")
	timeout := flags.Duration("timeout", 3*time.Second, "")
	_ = flags.Parse(args)
	asking := http.Client{Timeout: *timeout}
	answer, err := asking.Get("http://" + *authority + path)
	if err != nil {
		serve.Fail(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		serve.Fail(err)
	}
	if answer.StatusCode != http.StatusOK {
		serve.Fail(errors.New(strings.TrimSpace(string(text))))
	}
	fmt.Print(string(text))
}

// logger writes lines as DIUN does: fields in their order, then the time and the message.
type logger struct{ json, debug bool }

func (l *logger) say(level, message string, fields ...any) {
	if level == "debug" && !l.debug {
		return
	}
	now := time.Now().Format(time.RFC3339)
	if !l.json {
		line := fmt.Sprintf("%s %s %s", now, strings.ToUpper(level)[:3], message)
		for i := 0; i+1 < len(fields); i += 2 {
			line += fmt.Sprintf(" %v=%v", fields[i], fields[i+1])
		}
		fmt.Println(line)
		return
	}
	line := `{"level":` + strconv.Quote(level)
	for i := 0; i+1 < len(fields); i += 2 {
		value, _ := json.Marshal(fields[i+1])
		line += fmt.Sprintf(",%q:%s", fields[i], value)
	}
	text, _ := json.Marshal(message)
	fmt.Printf("%s,\"time\":%q,\"message\":%s}\n", line, now, text)
}

func (l *logger) fatal(message string, err error) {
	l.say("fatal", message, "error", err.Error())
	os.Exit(1)
}

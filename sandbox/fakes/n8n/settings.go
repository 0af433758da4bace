package main

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Every variable that n8n 2.40 reads, from its own configuration package.
//
//go:embed names.txt
var namesText string

var names = strings.Fields(namesText)

// Variables outside these prefixes are the container's own affair.
var guarded = regexp.MustCompile(`^(N8N|DB|EXECUTIONS|QUEUE|WEBHOOK|GENERIC|NODES|NODE_FUNCTION|CREDENTIALS)_`)

// Settings are what this fake acts on; it accepts n8n's other variables and ignores them.
type Settings struct {
	host, port, database, user, password, schema string
	sslEnabled, sslVerify                        bool
	sslCA                                        string
	startRetries                                 int

	listen, listenPort, healthPath, metricsPrefix string
	metrics                                       bool
	defaultMetrics, eventMetrics                  bool
	durationMetrics, statisticsMetrics            bool
	shutdownSeconds                               int

	folder, encryptionKey string
	secureCookie          bool
	sameSite, jwtSecret   string
	sessionHours          int

	protocol, publicHost, editorURL, webhookURL, timezone string
	ownerByEnv                                            bool
	owner                                                 Owner
}

// readSettings reads n8n's environment. All faults come at once.
func readSettings(environment []string) (Settings, error) {
	faults := unknownNames(environment)
	text := func(name, fallback string) string {
		value, err := lookup(name)
		if err != nil {
			faults = append(faults, err.Error())
		}
		if value == "" {
			return fallback
		}
		return value
	}
	number := func(name string, fallback int) int {
		value := text(name, strconv.Itoa(fallback))
		parsed, err := strconv.Atoi(value)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s is %q, which is no number", name, value))
		}
		return parsed
	}
	boolean := func(name string, fallback bool) bool {
		value := strings.ToLower(text(name, strconv.FormatBool(fallback)))
		if !slices.Contains([]string{"true", "false", "1", "0"}, value) {
			faults = append(faults, fmt.Sprintf("%s is %q; it takes true or false", name, value))
		}
		return value == "true" || value == "1"
	}
	only := func(name, fallback, allowed string) {
		if value := text(name, fallback); value != allowed {
			faults = append(faults, fmt.Sprintf("%s is %q; this fake does %q only", name, value, allowed))
		}
	}
	only("DB_TYPE", "sqlite", "postgresdb")
	only("EXECUTIONS_MODE", "regular", "regular")
	only("N8N_PATH", "/", "/")
	only("DB_TABLE_PREFIX", "", "")
	only("N8N_SSL_KEY", "", "")
	settings := Settings{
		host: text("DB_POSTGRESDB_HOST", "localhost"), port: text("DB_POSTGRESDB_PORT", "5432"),
		database: text("DB_POSTGRESDB_DATABASE", "n8n"), user: text("DB_POSTGRESDB_USER", "postgres"),
		password: text("DB_POSTGRESDB_PASSWORD", ""), schema: text("DB_POSTGRESDB_SCHEMA", "public"),
		sslCA:        text("DB_POSTGRESDB_SSL_CA", ""),
		sslEnabled:   boolean("DB_POSTGRESDB_SSL_ENABLED", false),
		sslVerify:    boolean("DB_POSTGRESDB_SSL_REJECT_UNAUTHORIZED", true),
		startRetries: number("DB_STARTUP_CONNECT_MAX_RETRIES", 0),

		listen: text("N8N_LISTEN_ADDRESS", "::"), listenPort: text("N8N_PORT", "5678"),
		healthPath: text("N8N_ENDPOINT_HEALTH", "healthz"),
		metrics:    boolean("N8N_METRICS", false), metricsPrefix: text("N8N_METRICS_PREFIX", "n8n_"),
		defaultMetrics:    boolean("N8N_METRICS_INCLUDE_DEFAULT_METRICS", true),
		eventMetrics:      boolean("N8N_METRICS_INCLUDE_MESSAGE_EVENT_BUS_METRICS", false),
		durationMetrics:   boolean("N8N_METRICS_INCLUDE_WORKFLOW_EXECUTION_DURATION", true),
		statisticsMetrics: boolean("N8N_METRICS_INCLUDE_WORKFLOW_STATISTICS", false),
		shutdownSeconds:   number("N8N_GRACEFUL_SHUTDOWN_TIMEOUT", 30),

		folder:        filepath.Join(text("N8N_USER_FOLDER", os.Getenv("HOME")), ".n8n"),
		encryptionKey: text("N8N_ENCRYPTION_KEY", ""),
		secureCookie:  boolean("N8N_SECURE_COOKIE", true), sameSite: text("N8N_SAMESITE_COOKIE", "lax"),
		jwtSecret:    text("N8N_USER_MANAGEMENT_JWT_SECRET", ""),
		sessionHours: number("N8N_USER_MANAGEMENT_JWT_DURATION_HOURS", 168),

		protocol: text("N8N_PROTOCOL", "http"), publicHost: text("N8N_HOST", "localhost"),
		editorURL: text("N8N_EDITOR_BASE_URL", ""), webhookURL: text("WEBHOOK_URL", ""),
		timezone:   text("GENERIC_TIMEZONE", "America/New_York"),
		ownerByEnv: boolean("N8N_INSTANCE_OWNER_MANAGED_BY_ENV", false),
		owner: Owner{
			Email:     text("N8N_INSTANCE_OWNER_EMAIL", ""),
			FirstName: text("N8N_INSTANCE_OWNER_FIRST_NAME", "Instance"),
			LastName:  text("N8N_INSTANCE_OWNER_LAST_NAME", "Owner"),
			Hash:      text("N8N_INSTANCE_OWNER_PASSWORD_HASH", ""),
		},
	}
	if len(faults) > 0 {
		return settings, fmt.Errorf("%s", strings.Join(faults, "\n"))
	}
	return settings, nil
}

// unknownNames is stricter than n8n, which ignores what it does not know: here a misspelt variable is found at once.
func unknownNames(environment []string) []string {
	var faults []string
	for _, line := range environment {
		name, _, _ := strings.Cut(line, "=")
		known := slices.Contains(names, name) || slices.Contains(names, strings.TrimSuffix(name, "_FILE"))
		if guarded.MatchString(name) && !known {
			faults = append(faults, fmt.Sprintf("%s is no variable of n8n 2 (n8n would ignore it, this fake refuses)", name))
		}
	}
	slices.Sort(faults)
	return faults
}

// lookup reads NAME, else the file that NAME_FILE names, trimmed as n8n trims it.
func lookup(name string) (string, error) {
	if value, found := os.LookupEnv(name); found {
		return value, nil
	}
	file := os.Getenv(name + "_FILE")
	if file == "" {
		return "", nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(content)), nil
}

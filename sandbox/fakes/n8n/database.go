package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// migrations use n8n's names for the tables and columns they make; they are far fewer and far smaller.
var migrations = []struct{ name, sql string }{
	{"DoubleInitial1000000000001", `
		CREATE TABLE role (slug varchar(128) PRIMARY KEY, "displayName" text, "roleType" text);
		INSERT INTO role VALUES ('global:owner', 'Owner', 'global'), ('global:admin', 'Admin', 'global'), ('global:member', 'Member', 'global');
		CREATE TABLE "user" (
			id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email varchar(255) UNIQUE, "firstName" varchar(32),
			"lastName" varchar(32), password varchar(255), "personalizationAnswers" json, settings json,
			"roleSlug" varchar(128) NOT NULL DEFAULT 'global:member' REFERENCES role(slug),
			disabled boolean NOT NULL DEFAULT false, "mfaEnabled" boolean NOT NULL DEFAULT false, "mfaSecret" text,
			"mfaRecoveryCodes" text, "lastActiveAt" date,
			"createdAt" timestamptz(3) NOT NULL DEFAULT now(), "updatedAt" timestamptz(3) NOT NULL DEFAULT now());
		INSERT INTO "user" ("roleSlug") VALUES ('global:owner');
		CREATE TABLE settings (key varchar(255) PRIMARY KEY, value text NOT NULL, "loadOnStartup" boolean NOT NULL DEFAULT false);
		INSERT INTO settings VALUES ('userManagement.isInstanceOwnerSetUp', 'false', true);
		CREATE TABLE credentials_entity (
			id varchar(36) PRIMARY KEY, name varchar(128) NOT NULL, data text NOT NULL, type varchar(128) NOT NULL,
			"createdAt" timestamptz(3) NOT NULL DEFAULT now(), "updatedAt" timestamptz(3) NOT NULL DEFAULT now());
		CREATE TABLE workflow_entity (
			id varchar(36) PRIMARY KEY, name varchar(128) NOT NULL, active boolean NOT NULL DEFAULT false, nodes json NOT NULL,
			connections json NOT NULL, settings json, "staticData" json, "versionId" char(36),
			"createdAt" timestamptz(3) NOT NULL DEFAULT now(), "updatedAt" timestamptz(3) NOT NULL DEFAULT now());
		CREATE TABLE execution_entity (
			id serial PRIMARY KEY, finished boolean NOT NULL, mode varchar NOT NULL, status varchar NOT NULL,
			"workflowId" varchar(36) NOT NULL REFERENCES workflow_entity(id) ON DELETE CASCADE,
			"createdAt" timestamptz(3) NOT NULL DEFAULT now(), "startedAt" timestamptz(3), "stoppedAt" timestamptz(3),
			"deletedAt" timestamptz(3));
		CREATE TABLE execution_data (
			"executionId" integer PRIMARY KEY REFERENCES execution_entity(id) ON DELETE CASCADE,
			"workflowData" json NOT NULL, data text NOT NULL);`},
	{"DoubleVersions1000000000002", `
		ALTER TABLE workflow_entity ADD COLUMN "isArchived" boolean NOT NULL DEFAULT false,
			ADD COLUMN "activeVersionId" varchar(36), ADD COLUMN "triggerCount" integer NOT NULL DEFAULT 0;
		ALTER TABLE execution_entity ADD COLUMN "workflowVersionId" varchar(36);
		CREATE TABLE workflow_history (
			"versionId" varchar(36) PRIMARY KEY, "workflowId" varchar(36) NOT NULL REFERENCES workflow_entity(id) ON DELETE CASCADE,
			nodes json NOT NULL, connections json NOT NULL, "createdAt" timestamptz(3) NOT NULL DEFAULT now());
		CREATE TABLE webhook_entity (
			"webhookPath" varchar NOT NULL, method varchar NOT NULL, node varchar NOT NULL,
			"workflowId" varchar(36) NOT NULL REFERENCES workflow_entity(id) ON DELETE CASCADE,
			PRIMARY KEY ("webhookPath", method));`},
}

// connect opens the pool and answers once the database has; it gives up after the retries n8n was told to make.
func connect(ctx context.Context, settings Settings) (*pgxpool.Pool, error) {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(settings.user, settings.password),
		Host: settings.host + ":" + settings.port, Path: settings.database, RawQuery: "sslmode=disable&pool_max_conns=4",
	}
	config, err := pgxpool.ParseConfig(address.String())
	if err != nil {
		return nil, fmt.Errorf("the database settings make no address") // err would show the password
	}
	config.ConnConfig.RuntimeParams["search_path"] = pgx.Identifier{settings.schema}.Sanitize()
	config.ConnConfig.RuntimeParams["application_name"] = "n8n"
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	if config.ConnConfig.TLSConfig, err = tlsConfig(settings); err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err == nil {
			if err = pool.Ping(ctx); err == nil {
				return pool, nil
			}
			pool.Close()
		}
		if attempt >= settings.startRetries {
			return nil, err
		}
		say("Database is not there yet: %v", err)
		time.Sleep(time.Second)
	}
}

func tlsConfig(settings Settings) (*tls.Config, error) {
	if !settings.sslEnabled && settings.sslCA == "" {
		return nil, nil
	}
	config := &tls.Config{ServerName: settings.host, InsecureSkipVerify: !settings.sslVerify}
	if settings.sslCA != "" {
		pem := settings.sslCA
		if !strings.Contains(pem, "BEGIN CERTIFICATE") {
			content, err := os.ReadFile(pem)
			if err != nil {
				return nil, fmt.Errorf("DB_POSTGRESDB_SSL_CA: %w", err)
			}
			pem = string(content)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(pem)) {
			return nil, fmt.Errorf("DB_POSTGRESDB_SSL_CA holds no certificate")
		}
	}
	return config, nil
}

// migrate applies what the migrations table does not list, each in a transaction, one instance at a time.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(5678)`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS migrations
			(id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL UNIQUE)`); err != nil {
			return err
		}
		for _, migration := range migrations {
			var done bool
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM migrations WHERE name = $1)`, migration.name).Scan(&done); err != nil {
				return err
			}
			if done {
				continue
			}
			say("Starting migration %s", migration.name)
			if _, err := tx.Exec(ctx, migration.sql); err != nil {
				return fmt.Errorf("migration %s: %w", migration.name, err)
			}
			now := time.Now().UnixMilli()
			if _, err := tx.Exec(ctx, `INSERT INTO migrations (timestamp, name) VALUES ($1, $2)`, now, migration.name); err != nil {
				return err
			}
			say("Finished migration %s", migration.name)
		}
		return nil
	})
}

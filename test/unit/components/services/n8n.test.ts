import { describe, expect, test } from "@jest/globals";
import { N8N_ALERTS, N8N_DASHBOARD } from "../../../../components/services/n8n/monitoring.ts";
import type { FileSpec } from "../../../../components/service/model/definition.ts";
import { revealFrom, secretsOfProvision } from "../../../../components/service/plan/secrets.ts";
import { n8n } from "../../../../components/services/n8n/service.ts";
import { testContext } from "../../../support/context.ts";

const context = testContext();
const values = { "n8n-database": "Db1", "n8n-encryption-key": "Key1", "n8n-owner-password": "Owner1" };
const files = (Array.isArray(n8n.files) ? n8n.files : []) as readonly FileSpec[];
const environment = n8n.environment?.(context) ?? {};

describe("n8n's environment", () => {
  test("is this", () => {
    expect(environment).toEqual({
      DB_PING_TIMEOUT_MS: "20000",
      SSL_CERT_FILE: "/etc/ssl/certs/ca-certificates.crt",
      REQUESTS_CA_BUNDLE: "/etc/ssl/certs/ca-certificates.crt",
      NODE_EXTRA_CA_CERTS: "/etc/ssl/certs/ca-certificates.crt",
      DB_TYPE: "postgresdb",
      DB_POSTGRESDB_HOST: "postgresql",
      DB_POSTGRESDB_PORT: "5432",
      DB_POSTGRESDB_POOL_SIZE: "8",
      DB_POSTGRESDB_DATABASE: "n8n",
      DB_POSTGRESDB_USER: "n8n",
      DB_POSTGRESDB_PASSWORD_FILE: "/etc/vpai/secrets/database",
      N8N_ENCRYPTION_KEY_FILE: "/etc/vpai/secrets/encryption-key",
      N8N_HOST: "n8n.ai.example.com",
      N8N_PORT: "5678",
      N8N_PROTOCOL: "https",
      N8N_PROXY_HOPS: "1",
      N8N_EDITOR_BASE_URL: "https://n8n.ai.example.com/",
      N8N_WEBHOOK_URL: "https://n8n.ai.example.com/",
      N8N_DIAGNOSTICS_ENABLED: "false",
      N8N_VERSION_NOTIFICATIONS_ENABLED: "false",
      N8N_PERSONALIZATION_ENABLED: "false",
      N8N_HIRING_BANNER_ENABLED: "false",
      N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS: "true",
      N8N_RUNNERS_MODE: "internal",
      NODE_FUNCTION_ALLOW_BUILTIN: "buffer,crypto,querystring,url,util,zlib",
      N8N_BLOCK_ENV_ACCESS_IN_NODE: "true",
      N8N_CONCURRENCY_PRODUCTION_LIMIT: "20",
      EXECUTIONS_DATA_PRUNE: "true",
      EXECUTIONS_DATA_MAX_AGE: "168",
      EXECUTIONS_DATA_PRUNE_MAX_COUNT: "10000",
      N8N_METRICS: "true",
      N8N_METRICS_INCLUDE_MESSAGE_EVENT_BUS_METRICS: "true",
      N8N_METRICS_INCLUDE_WORKFLOW_STATISTICS: "true",
      N8N_METRICS_WORKFLOW_STATISTICS_INTERVAL: "60",
      GENERIC_TIMEZONE: "Europe/Paris",
    });
  });

  test("P27: n8n counts one proxy in front of it", () => {
    expect(environment["N8N_PROXY_HOPS"]).toBe("1");
  });

  test("P28: n8n's code has the harmless modules, a process of its own, and nothing of n8n's environment", () => {
    const modules = environment["NODE_FUNCTION_ALLOW_BUILTIN"]?.split(",") ?? [];
    expect(modules).toContain("crypto");
    for (const harmful of ["*", "fs", "child_process", "net", "http", "process", "vm", "worker_threads"]) {
      expect(modules).not.toContain(harmful);
    }
    expect(environment).toMatchObject({ N8N_RUNNERS_MODE: "internal", N8N_BLOCK_ENV_ACCESS_IN_NODE: "true" });
  });
});

test("its secrets are files that its user alone reads, and nothing in its environment", () => {
  expect(files.map(({ path, mode, content }) => [path, mode ?? "0400", content(context, revealFrom(values))])).toEqual([
    ["secrets/encryption-key", "0400", "Key1"],
    ["secrets/database", "0400", "Db1"],
  ]);
  expect(Object.values(environment).filter((value) => Object.values(values).includes(value))).toEqual([]);
  expect(n8n.secrets).toEqual({ "n8n-encryption-key": { permanent: true }, "n8n-owner-password": { permanent: true } });
});

test("P17: n8n is asked for its health by address", () => {
  expect(n8n.health.test).toEqual(["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:5678/healthz/readiness"]);
});

test("P23: n8n has a host name of its own, and its metrics are not shown there", () => {
  expect(n8n.route).toEqual({
    subdomain: "n8n",
    audience: "public",
    healthPath: "/healthz/readiness",
    denyPaths: ["/metrics"],
    oncePaths: ["/webhook*", "/form*", "/mcp*"],
  });
});

describe("P29: n8n's owner", () => {
  const [step, ...more] = n8n.provision?.steps(context, revealFrom(values)) ?? [];

  test("is made through n8n's API by the name that its login has, and is there when it can log in", () => {
    expect(more).toEqual([]);
    expect(step?.probe).toEqual({
      method: "POST",
      path: "/rest/login",
      json: { emailOrLdapLoginId: "owner@example.com", password: "Owner1" },
    });
    expect(step?.apply).toEqual([
      {
        method: "POST",
        path: "/rest/owner/setup",
        when: { status: 401 },
        ok: [200],
        json: { email: "owner@example.com", firstName: "Only", lastName: "Owner", password: "Owner1" },
      },
    ]);
    expect(secretsOfProvision(n8n, context)).toEqual(["n8n-owner-password"]);
  });

  test("is there too when a second factor is asked of it", () => {
    expect(step?.satisfiedBy).toEqual([{ status: 200 }, { status: 401, json: { code: 998 } }]);
  });

  test("has a step whose name says what to do when it is somebody else", () => {
    expect(step?.name).toMatch(/^owner owner@example\.com .*already setup.*user-management:reset/);
    expect(step?.name).not.toContain("Owner1");
  });
});

test("n8n has a key and a budget for models, and a collection for its documents", () => {
  expect(n8n.llm).toEqual({ dailyBudgetUsd: 2 });
  expect(n8n.vectors).toEqual([{ name: "documents", dimensions: 1536, distance: "Cosine" }]);
});

test("a copy of n8n's files holds no key, and its database is restored while n8n is away", () => {
  const [database, kept] = "items" in n8n.backup ? n8n.backup.items : [];
  expect(kept?.dump.at(-1)).toContain("--exclude=./config");
  expect(database?.restore?.at(-1)).toMatch(/^docker stop n8n .*--single-transaction.*docker start n8n/);
});

test("every metric that is looked at is one of n8n's own", () => {
  const text = JSON.stringify([N8N_ALERTS, N8N_DASHBOARD]);
  // As n8n 2.40.7 tells them with this environment, once a workflow has succeeded, one has failed, and somebody logged in.
  const told = [
    "active_workflow_count",
    "audit_user_login_failed_total",
    "audit_user_login_success_total",
    "credentials",
    "nodejs_eventloop_lag_p99_seconds",
    "nodejs_heap_size_used_bytes",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "production_executions",
    "workflow_execution_duration_seconds_bucket",
    "workflow_execution_duration_seconds_count",
    "workflow_failed_total",
    "workflows",
  ];
  expect([...new Set(text.match(/n8n_[a-z0-9_]+/g))].toSorted()).toEqual(told.map((name) => `n8n_${name}`));
});

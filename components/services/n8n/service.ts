import { images } from "../../images.ts";
import { N8N_ALERTS, N8N_DASHBOARD } from "./monitoring.ts";
import type { SecretValues, ServiceContext, ServiceDefinition } from "../../service/model/definition.ts";
import { HOST_TRUST, HOST_TRUST_ENVIRONMENT } from "../../service/presets/host-trust.ts";
import type { HttpStep } from "../../service/model/provision.ts";

const CONFIG = "/etc/vpai";
const HERE = "http://127.0.0.1:5678";
const DATA = "/opt/vpai/data/n8n";

/** A file that n8n reads through a variable that ends in _FILE. */
const secretFile = (name: string, secret: string) => ({
  path: `secrets/${name}`,
  secrets: [secret],
  render: (values: SecretValues) => values[secret] ?? "",
});

function environment({ domain, timezone }: ServiceContext): Record<string, string> {
  return {
    ...HOST_TRUST_ENVIRONMENT,
    DB_TYPE: "postgresdb",
    DB_POSTGRESDB_HOST: "postgresql",
    DB_POSTGRESDB_PORT: "5432",
    DB_POSTGRESDB_DATABASE: "n8n",
    DB_POSTGRESDB_USER: "n8n",
    DB_POSTGRESDB_PASSWORD_FILE: `${CONFIG}/secrets/database`,
    N8N_ENCRYPTION_KEY_FILE: `${CONFIG}/secrets/encryption-key`,
    N8N_HOST: `n8n.${domain}`,
    N8N_PORT: "5678",
    N8N_PROTOCOL: "https",
    N8N_EDITOR_BASE_URL: `https://n8n.${domain}/`,
    WEBHOOK_URL: `https://n8n.${domain}/`,
    // P27: without it every visitor has Caddy's address, and rate limits hit everybody at once.
    N8N_PROXY_HOPS: "1",
    N8N_DIAGNOSTICS_ENABLED: "false",
    N8N_VERSION_NOTIFICATIONS_ENABLED: "false",
    N8N_PERSONALIZATION_ENABLED: "false",
    N8N_HIRING_BANNER_ENABLED: "false",
    N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS: "true",
    // P28: code in workflows runs in a process of its own, with these modules and without n8n's environment.
    N8N_RUNNERS_MODE: "internal",
    NODE_FUNCTION_ALLOW_BUILTIN: "buffer,crypto,querystring,url,util,zlib",
    N8N_BLOCK_ENV_ACCESS_IN_NODE: "true",
    EXECUTIONS_DATA_PRUNE: "true",
    EXECUTIONS_DATA_MAX_AGE: "168",
    EXECUTIONS_DATA_PRUNE_MAX_COUNT: "10000",
    N8N_METRICS: "true",
    N8N_METRICS_INCLUDE_MESSAGE_EVENT_BUS_METRICS: "true",
    N8N_METRICS_INCLUDE_WORKFLOW_STATISTICS: "true",
    N8N_METRICS_WORKFLOW_STATISTICS_INTERVAL: "60",
    GENERIC_TIMEZONE: timezone,
  };
}

/**
 * P29: the owner, made through n8n's own API from within the network. Until then whoever comes first is owner, and n8n
 * makes only one: that it is this one is seen by logging in.
 */
function ownerSteps(values: SecretValues, { settings: { owner } }: ServiceContext): HttpStep[] {
  const password = values["n8n-owner-password"] ?? "";
  return [
    {
      name:
        `its owner ${owner.email} (when n8n says "already setup": the owner has another address or password than ` +
        `vpai:owner and the secret n8n-owner-password say. Set them in n8n, or forget n8n's users with ` +
        "`docker exec n8n n8n user-management:reset`, which leaves the workflows, and run up again)",
      check: { method: "POST", path: "/rest/login", json: { emailOrLdapLoginId: owner.email, password } },
      // 998: the password is right, and a second factor is wanted.
      done: [{ status: 200 }, { status: 401, json: { code: 998 } }],
      apply: [
        { method: "POST", path: "/rest/owner/setup", json: { ...owner, password }, when: { status: 401 }, ok: [200] },
      ],
    },
  ];
}

/** Workflow automation. One label below the domain: its interface does not work under a path (P23). */
export const n8n: ServiceDefinition = {
  name: "n8n",
  image: images.n8n.pin,
  networks: ["backend", "egress"],
  port: 5678,
  user: { uid: 1000, gid: 1000 },
  data: [{ path: "", target: "/home/node/.n8n" }],
  hostMounts: [HOST_TRUST],
  configDir: CONFIG,
  files: [secretFile("encryption-key", "n8n-encryption-key"), secretFile("database", "n8n-database")],
  environment,
  database: { name: "n8n" },
  secrets: {
    // Every credential stored in n8n is encrypted with it. With another one n8n ends at once and says so ("Mismatching
    // encryption keys"), which the gate shows; a host that knows the first refuses the second before.
    "n8n-encryption-key": { permanent: true },
    // n8n has it too, and changes it only for who knows the one before.
    "n8n-owner-password": { permanent: true },
  },
  llm: { dailyBudgetUsd: 2 },
  vectors: [{ name: "documents", dimensions: 1536, distance: "Cosine" }],
  needs: ["postgresql"],
  provision: { port: 5678, secrets: () => ["n8n-owner-password"], steps: ownerSteps },
  health: {
    test: ["CMD", "wget", "-q", "-O", "/dev/null", `${HERE}/healthz/readiness`],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 120,
    deadlineSeconds: 240,
  },
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=128m", "/home/node/.cache": "rw,nosuid,size=128m,uid=1000,gid=1000" },
  pids: 256,
  // Measured with 2.40.7: 700 MB while it starts, 510 MB afterwards, the task runner's among it.
  memory: { requestMb: 560, limitMb: { standard: 896, small: 768 } },
  cpus: 1,
  stopGraceSeconds: 35,
  route: { label: "n8n", audience: "public", readiness: "/healthz/readiness", deny: ["/metrics"] },
  metrics: {},
  alerts: N8N_ALERTS,
  dashboards: [N8N_DASHBOARD],
  backup: {
    what: "workflows, credentials and executions, and files that workflows keep; the key is in the program's state",
    items: [
      {
        name: "database",
        dump: ["docker", "exec", "postgresql", "pg_dump", "--username=postgres", "--format=custom", "n8n"],
        // n8n is away meanwhile: what it does between two tables would be neither the old state nor the new.
        restore: [
          "sh",
          "-c",
          "docker stop n8n >/dev/null && docker exec -i postgresql pg_restore --username=postgres --dbname=n8n " +
            "--clean --if-exists --single-transaction --exit-on-error; code=$?; docker start n8n >/dev/null && exit $code",
        ],
        prove: {
          argv: [
            "docker",
            "exec",
            "postgresql",
            "psql",
            "--username=postgres",
            "--dbname=n8n",
            "-At",
            "-c",
            `select count(*) || ' owner' from "user" where email is not null`,
          ],
          expect: /^[1-9]\d* owner$/m,
        },
      },
      {
        name: "files",
        // Without `config`: it holds the encryption key, and n8n writes it anew. Logs are in Loki.
        dump: ["tar", "-C", DATA, "--exclude=./config", "--exclude=./*.log", "--exclude=./crash.journal", "-c", "."],
        restore: ["tar", "-C", DATA, "--same-owner", "-xp"],
        prove: { argv: ["stat", "-c", "%u", DATA], expect: /^1000$/m },
      },
    ],
  },
  smoke: [
    { name: "answers", url: ({ domain }) => `https://n8n.${domain}/healthz`, status: 200, body: /"status": ?"ok"/ },
    { name: "hides its metrics", url: ({ domain }) => `https://n8n.${domain}/metrics`, status: 404 },
    {
      name: "is ready, with its database",
      exec: ["wget", "-q", "-O", "-", `${HERE}/healthz/readiness`],
      prints: /"status": ?"ok"/,
    },
    {
      name: "has an owner",
      exec: ["wget", "-q", "-O", "-", `${HERE}/rest/settings`],
      prints: /"showSetupOnFirstLoad": ?false/,
    },
  ],
  upgrade:
    "Back the database up first: each start migrates it, and an older n8n does not start over a newer one's tables. " +
    "Read the release's list of breaking changes (docs.n8n.io, 2.0 among them): nodes and variables go. Compare the " +
    "names of its metrics with components/services/n8n/monitoring.ts. As seen with 2.40: it wants PostgreSQL 17 or newer, and a " +
    "workflow that is activated has its webhook a moment later.",
};

import {
  CONFIG_DIR,
  local,
  viaEdge,
  dataTar,
  postgresDump,
  secretFile,
  defineService,
  httpHealth,
} from "../../service/presets/index.ts";
import type { ServiceContext } from "../../service/model/context.ts";
import { publicOrigin } from "../../service/model/public-origin.ts";
import { databaseSecret, serviceSecrets } from "../../service/model/secrets.ts";
import { images } from "../../images.ts";
import { ownerSteps } from "./provision.ts";
import { N8N_ALERTS, N8N_DASHBOARD } from "./monitoring.ts";

const secrets = serviceSecrets("n8n", {
  // Every credential stored in n8n is encrypted with it. With another one n8n exits and says so ("Mismatching encryption
  // keys"); the host refuses another one before that.
  "encryption-key": { permanent: true },
  // n8n stores it too, and changes it only with the previous one.
  "owner-password": { permanent: true },
});

function environment(context: ServiceContext): Record<string, string> {
  const { domain, timezone } = context;
  const origin = publicOrigin(context, "n8n");
  return {
    DB_TYPE: "postgresdb",
    DB_POSTGRESDB_HOST: "postgresql",
    DB_POSTGRESDB_PORT: "5432",
    // Two by default: its own ping of the database then waits behind workflows, and n8n calls the database not ready.
    DB_POSTGRESDB_POOL_SIZE: "8",
    // It takes one slow look at its database (5 s) for a lost one, and answers webhooks with 503 until the next: a burst of
    // calls that keeps all of its connections busy was enough.
    DB_PING_TIMEOUT_MS: "20000",
    DB_POSTGRESDB_DATABASE: "n8n",
    DB_POSTGRESDB_USER: "n8n",
    DB_POSTGRESDB_PASSWORD_FILE: `${CONFIG_DIR}/secrets/database`,
    N8N_ENCRYPTION_KEY_FILE: `${CONFIG_DIR}/secrets/encryption-key`,
    N8N_HOST: `n8n.${domain}`,
    N8N_PORT: "5678",
    N8N_PROTOCOL: "https",
    N8N_EDITOR_BASE_URL: `${origin}/`,
    N8N_WEBHOOK_URL: `${origin}/`,
    // P27: without it every visitor has Caddy's address, and rate limits apply to all visitors together.
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
    // More at once wait in n8n. Without it the calls that the edge held while n8n was replaced, 400 of them, take more
    // memory than it has; the kernel ends it, and all that ran is lost.
    N8N_CONCURRENCY_PRODUCTION_LIMIT: "20",
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

/** Workflow automation. One label below the domain: its interface does not work under a path (P23). */
export const n8n = defineService({
  name: "n8n",
  image: images.n8n,
  networks: ["backend", "egress"],
  port: 5678,
  user: { uid: 1000, gid: 1000 },
  data: [{ path: "", target: "/home/node/.n8n" }],
  trustHostCa: true,
  files: [secretFile("encryption-key", secrets.ref["encryption-key"]), secretFile("database", databaseSecret("n8n"))],
  environment,
  database: { name: "n8n" },
  secrets: secrets.specs,
  llm: { dailyBudgetUsd: 2 },
  vectors: [{ name: "documents", dimensions: 1536, distance: "Cosine" }],
  provision: {
    port: 5678,
    steps: (context, reveal) => ownerSteps(context.settings.owner, reveal(secrets.ref["owner-password"])),
  },
  health: httpHealth(5678, "/healthz/readiness", { startPeriodSeconds: 240, deadlineSeconds: 480 }),
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=128m", "/home/node/.cache": "rw,nosuid,size=128m,uid=1000,gid=1000" },
  // Measured with 2.40.7: 700 MB while it starts, 510 MB afterwards, the task runner's among it; 830 MB with 20 workflows a
  // second and the 400 calls on top that had waited for its start.
  memory: { requestMb: 560, limitMb: { standard: 1280, small: 1152 } },
  stopGraceSeconds: 35,
  route: {
    subdomain: "n8n",
    audience: "public",
    healthPath: "/healthz/readiness",
    denyPaths: ["/metrics"],
    // A workflow runs at each of these, by any method.
    oncePaths: ["/webhook*", "/form*", "/mcp*"],
  },
  metrics: {},
  alerts: N8N_ALERTS,
  dashboards: [N8N_DASHBOARD],
  backup: {
    scope: "workflows, credentials and executions, and files that workflows keep; the key is in the program's state",
    items: [
      postgresDump("n8n", {
        verify: `select count(*) || ' owner' from "user" where email is not null`,
        expect: /^[1-9]\d* owner$/m,
        stop: "n8n",
      }),
      // config holds the encryption key and is written at every start; logs are in Loki.
      dataTar("n8n", 1000, ["./config", "./*.log", "./crash.journal"]),
    ],
  },
  login: ({ settings }, reveal) => ({ user: settings.owner.email, password: reveal(secrets.ref["owner-password"]) }),
  smoke: [
    viaEdge("answers", "n8n", "/healthz", 200, /"status": ?"ok"/),
    viaEdge("does not publish its metrics", "n8n", "/metrics", 404),
    local("is ready, with its database", 5678, "/healthz/readiness", /"status": ?"ok"/),
    local("has an owner", 5678, "/rest/settings", /"showSetupOnFirstLoad": ?false/),
  ],
  upgrade:
    "Back the database up first: each start migrates it, and an older n8n does not start over a newer one's tables. " +
    "Read the release's list of breaking changes (docs.n8n.io, 2.0 among them): nodes and variables go. Compare the " +
    "names of its metrics with components/services/n8n/monitoring.ts. As seen with 2.40: it wants PostgreSQL 17 or newer, and a " +
    "workflow that is activated has its webhook a moment later.",
});

import type { ServiceDefinition } from "../service/definition.ts";

/** Workflow automation. One label below the domain: its interface does not work under a path. */
export const n8n: ServiceDefinition = {
  name: "n8n",
  image: "docker.io/n8nio/n8n:2.42.4@sha256:9c0862a08090c79122069e23131d27529c250b92e90c9d51a6ec406fe1527c4e",
  networks: ["backend", "egress"],
  port: 5678,
  user: { uid: 1000, gid: 1000 },
  data: [{ path: "", target: "/home/node/.n8n" }],
  configDir: "/etc/vpai",
  files: [
    {
      path: "secrets/encryption-key",
      secrets: ["n8n-encryption-key"],
      render: (secrets) => secrets["n8n-encryption-key"] ?? "",
    },
    { path: "secrets/database", secrets: ["n8n-database"], render: (secrets) => secrets["n8n-database"] ?? "" },
  ],
  environment: ({ domain, timezone }) => ({
    DB_TYPE: "postgresdb",
    DB_POSTGRESDB_HOST: "postgresql",
    DB_POSTGRESDB_PORT: "5432",
    DB_POSTGRESDB_DATABASE: "n8n",
    DB_POSTGRESDB_USER: "n8n",
    DB_POSTGRESDB_PASSWORD_FILE: "/etc/vpai/secrets/database",
    N8N_ENCRYPTION_KEY_FILE: "/etc/vpai/secrets/encryption-key",
    N8N_HOST: `n8n.${domain}`,
    N8N_PORT: "5678",
    N8N_PROTOCOL: "https",
    N8N_EDITOR_BASE_URL: `https://n8n.${domain}/`,
    WEBHOOK_URL: `https://n8n.${domain}/`,
    // One proxy in front: without this every visitor has Caddy's address, and rate limits hit everybody at once.
    N8N_PROXY_HOPS: "1",
    N8N_DIAGNOSTICS_ENABLED: "false",
    N8N_VERSION_NOTIFICATIONS_ENABLED: "false",
    N8N_PERSONALIZATION_ENABLED: "false",
    N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS: "true",
    EXECUTIONS_DATA_PRUNE: "true",
    EXECUTIONS_DATA_MAX_AGE: "168",
    GENERIC_TIMEZONE: timezone,
  }),
  database: { name: "n8n" },
  // Every credential stored in n8n is encrypted with it.
  secrets: { "n8n-encryption-key": { permanent: true } },
  needs: ["postgresql"],
  health: {
    test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:5678/healthz/readiness"],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 120,
    deadlineSeconds: 240,
  },
  tmpfs: {
    "/tmp": "rw,noexec,nosuid,size=128m",
    "/home/node/.cache": "rw,nosuid,size=128m,uid=1000,gid=1000",
  },
  pids: 256,
  memoryMb: { standard: 1024, small: 768 },
  cpus: 1,
  stopGraceSeconds: 35,
  route: { label: "n8n", audience: "public", readiness: "/healthz/readiness" },
  backup: {
    kind: "database",
    note: "workflows and credentials are in the database n8n; the key is in the program's state",
  },
  smoke: { url: ({ domain }) => `https://n8n.${domain}/healthz`, expect: 200 },
};

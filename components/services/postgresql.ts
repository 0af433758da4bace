import type { ServiceDefinition, Size } from "../service/definition.ts";

const MEMORY: Record<Size, number> = { standard: 1536, small: 768 };

/** About a sixth of the limit for shared buffers: connections, sorting and the page cache live in the rest. */
const config = (size: Size): string => `listen_addresses = '*'
hba_file = '/etc/vpai/pg_hba.conf'
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = ${MEMORY[size] / 6}MB
effective_cache_size = ${MEMORY[size] / 3}MB
work_mem = ${size === "standard" ? 16 : 8}MB
maintenance_work_mem = ${MEMORY[size] / 12}MB
logging_collector = off
log_timezone = 'UTC'
`;

/** Inside the container anybody is the superuser; over the network nobody gets in without a password. */
const HBA = `local all all trust
host all all all scram-sha-256
`;

/** The database server; pgvector's build of the official image, because some services store vectors. */
export const postgresql: ServiceDefinition = {
  name: "postgresql",
  image:
    "docker.io/pgvector/pgvector:0.8.7-pg18-bookworm@sha256:2358fcba361ed2233a5ed81b5fe4ca779ccb304120ce531a3bf51c0ed7e2bc11",
  networks: ["backend"],
  port: 5432,
  user: { uid: 999, gid: 999 },
  command: ["postgres", "-c", "config_file=/etc/vpai/postgresql.conf"],
  // Since 18 the image keeps the cluster in a directory per version below this one.
  data: [{ path: "", target: "/var/lib/postgresql" }],
  configDir: "/etc/vpai",
  files: [
    { path: "postgresql.conf", text: ({ size }) => config(size) },
    { path: "pg_hba.conf", text: () => HBA },
    {
      path: "secrets/superuser",
      secrets: ["postgresql-superuser"],
      render: (secrets) => secrets["postgresql-superuser"] ?? "",
    },
  ],
  environment: () => ({
    POSTGRES_PASSWORD_FILE: "/etc/vpai/secrets/superuser",
    POSTGRES_INITDB_ARGS: "--encoding=UTF8 --locale=C --auth-host=scram-sha-256",
  }),
  // Read when the cluster is made, and by nobody afterwards.
  secrets: { "postgresql-superuser": { permanent: true } },
  health: {
    test: ["CMD", "pg_isready", "--username=postgres", "--host=127.0.0.1", "--quiet"],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 60,
    deadlineSeconds: 180,
  },
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m", "/var/run/postgresql": "rw,noexec,nosuid,size=1m,uid=999,gid=999" },
  pids: 256,
  memoryMb: MEMORY,
  cpus: 1.5,
  stopGraceSeconds: 60,
  backup: { kind: "database", note: "every database by pg_dump, roles are made anew by the program" },
};

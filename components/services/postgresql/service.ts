import { secretFile, defineService, healthCheck, notApplicable } from "../../service/presets/index.ts";
import type { Size } from "../../service/model/facets.ts";
import { serviceSecrets } from "../../service/model/secrets.ts";
import { images } from "../../images.ts";

const LIMIT_MB: Record<Size, number> = { standard: 1024, small: 512 };

/** A part of the limit, in whole megabytes: a fraction is a syntax error. */
const part = (size: Size, divisor: number): string => `${Math.floor(LIMIT_MB[size] / divisor)}MB`;

/** From the limit of memory: a quarter for shared buffers, half counted on as cache, the rest for the connections. */
const config = (size: Size): string => `listen_addresses = '*'
hba_file = '/etc/vpai/pg_hba.conf'
password_encryption = 'scram-sha-256'
max_connections = 100
shared_buffers = ${part(size, 4)}
effective_cache_size = ${part(size, 2)}
work_mem = ${part(size, 128)}
maintenance_work_mem = ${part(size, 16)}
logging_collector = off
log_timezone = 'UTC'
log_min_duration_statement = 1000
`;

/** Inside the container every user is the superuser; over the network a password is required. */
const HBA = `local all all trust
host all all all scram-sha-256
`;

/** Read when the cluster is created, and never again. */
const secrets = serviceSecrets("postgresql", { superuser: { permanent: true } });

/** The database server; pgvector's build of the official image, because some services store vectors. */
export const postgresql = defineService({
  name: "postgresql",
  image: images.postgresql,
  networks: ["backend"],
  port: 5432,
  user: { uid: 999, gid: 999 },
  command: ["postgres", "-c", "config_file=/etc/vpai/postgresql.conf"],
  // Since 18 the image keeps the cluster in a directory per version below this one (P9).
  data: [{ path: "", target: "/var/lib/postgresql" }],
  files: [
    { path: "postgresql.conf", content: ({ size }) => config(size) },
    { path: "pg_hba.conf", content: () => HBA },
    secretFile("superuser", secrets.ref.superuser),
  ],
  environment: () => ({
    POSTGRES_PASSWORD_FILE: "/etc/vpai/secrets/superuser",
    // No locale of the image's C library: a French one is not in it (P10).
    POSTGRES_INITDB_ARGS: "--encoding=UTF8 --locale=C --auth-host=scram-sha-256",
  }),
  secrets: secrets.specs,
  provides: "database",
  health: healthCheck(["CMD", "pg_isready", "--username=postgres", "--host=127.0.0.1", "--quiet"], {
    startPeriodSeconds: 60,
    deadlineSeconds: 180,
  }),
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m", "/var/run/postgresql": "rw,noexec,nosuid,size=1m,uid=999,gid=999" },
  memory: { requestMb: { standard: 384, small: 224 }, limitMb: LIMIT_MB },
  shmMb: 256,
  cpus: 1.5,
  stopGraceSeconds: 60,
  metrics: notApplicable("postgres-exporter exports them"),
  backup: {
    scope: "roles; each service saves its own database",
    items: [
      {
        name: "roles.sql",
        dump: ["docker", "exec", "postgresql", "pg_dumpall", "--username=postgres", "--roles-only"],
        // Nothing restores it: the program creates every role again, and a restored one would have an old password.
        verify: {
          argv: [
            "docker",
            "exec",
            "postgresql",
            "psql",
            "--username=postgres",
            "-Atc",
            "SELECT count(*) FROM pg_roles",
          ],
          expect: /^[1-9]\d*$/,
        },
      },
    ],
  },
  login: (_, reveal) => ({ user: "postgres", password: reveal(secrets.ref.superuser) }),
  smoke: [{ name: "answers a query", exec: ["psql", "--username=postgres", "-Atc", "SELECT 6 * 7"], prints: /^42$/ }],
  upgrade:
    "A newer 18.x starts on the same data. Another major version does not: dump every database, move the data directory away, start, restore.",
});

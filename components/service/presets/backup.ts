import type { Argv, BackupItem } from "../model/operations.ts";
import { DATA_ROOT } from "../plan/container.ts";

/** A program of the database server, run as its superuser; with `-i` it reads stdin. */
const inDatabase = (flags: readonly "-i"[], program: string, ...args: readonly string[]): Argv => [
  "docker",
  "exec",
  ...flags,
  "postgresql",
  program,
  "--username=postgres",
  ...args,
];

export interface PostgresDump {
  /** SQL whose result shows that the restored database works, and what it has to match. */
  readonly verify: string;
  readonly expect: RegExp;
  /** Role that owns everything afterwards. @default as dumped */
  readonly role?: string;
  /** Container that is stopped meanwhile: what it wrote between two tables would be neither state. */
  readonly stop?: string;
}

/** A PostgreSQL database, dumped in PostgreSQL's custom format. */
export function postgresDump(database: string, { verify, expect, role, stop }: PostgresDump): BackupItem {
  const owner = role === undefined ? [] : ["--no-owner", `--role=${role}`];
  const restore = inDatabase(
    ["-i"],
    "pg_restore",
    `--dbname=${database}`,
    "--clean",
    "--if-exists",
    "--single-transaction",
    "--exit-on-error",
    ...owner,
  );
  return {
    name: "database",
    dump: inDatabase([], "pg_dump", "--format=custom", database),
    restore:
      stop === undefined
        ? restore
        : [
            "sh",
            "-c",
            `docker stop ${stop} >/dev/null && ${restore.join(" ")}; code=$?; docker start ${stop} >/dev/null && exit $code`,
          ],
    verify: { argv: inDatabase([], "psql", `--dbname=${database}`, "-At", "-c", verify), expect },
  };
}

/** The service's data directory as a tar archive, without `exclude`. Verified by its owner, `uid`. */
export function dataTar(service: string, uid: number, exclude: readonly string[] = []): BackupItem {
  const folder = `${DATA_ROOT}/${service}`;
  return {
    name: "files",
    dump: ["tar", "-C", folder, ...exclude.map((pattern) => `--exclude=${pattern}`), "-c", "."],
    restore: ["tar", "-C", folder, "--same-owner", "-xp"],
    verify: { argv: ["stat", "-c", "%u", folder], expect: new RegExp(`^${uid}$`, "m") },
  };
}

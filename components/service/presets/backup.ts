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

/**
 * What is there makes room and comes back if the copy cannot be read. A restore into it would not do: a newer version may
 * have added tables that the copy does not know, and that refer to its own. The new schema is as the program makes it: a
 * database and its role have one name.
 */
const aside = (database: string): string =>
  `alter schema public rename to before_restore; create schema public authorization "${database}"`;
const FORGET = "drop schema before_restore cascade";
const BACK = "drop schema public cascade; alter schema before_restore rename to public";

/** GNU tar's exit code 1: a file changed while it was read, which files of a running service do. The archive is whole. */
const liveTar = (words: string): Argv => ["sh", "-c", `tar ${words}; code=$?; [ $code -le 1 ] || exit $code`];

/** A PostgreSQL database, dumped in PostgreSQL's custom format. */
export function postgresDump(database: string, { verify, expect, role, stop }: PostgresDump): BackupItem {
  const owner = role === undefined ? [] : ["--no-owner", `--role=${role}`];
  const sql = (statements: string): string =>
    inDatabase([], "psql", `--dbname=${database}`, "-q", "-v", "ON_ERROR_STOP=1", "-1", "-c", `'${statements}'`).join(
      " ",
    );
  const fill = inDatabase(
    ["-i"],
    "pg_restore",
    `--dbname=${database}`,
    "--single-transaction",
    "--exit-on-error",
    ...owner,
  );
  const restore = `${sql(aside(database))} && { ${fill.join(" ")} && ${sql(FORGET)} || { ${sql(BACK)}; false; }; }`;
  return {
    name: "database",
    dump: inDatabase([], "pg_dump", "--format=custom", database),
    restore: [
      "sh",
      "-c",
      stop === undefined
        ? restore
        : `docker stop ${stop} >/dev/null && ${restore}; code=$?; docker start ${stop} >/dev/null && exit $code`,
    ],
    verify: { argv: inDatabase([], "psql", `--dbname=${database}`, "-At", "-c", verify), expect },
  };
}

/** The service's data directory as a tar archive, without `exclude`. Verified by its owner, `uid`. */
export function dataTar(service: string, uid: number, exclude: readonly string[] = []): BackupItem {
  const folder = `${DATA_ROOT}/${service}`;
  return {
    name: "files",
    dump: liveTar(["-C", folder, ...exclude.map((pattern) => `'--exclude=${pattern}'`), "-c", "."].join(" ")),
    restore: ["tar", "-C", folder, "--same-owner", "-xp"],
    verify: { argv: ["stat", "-c", "%u", folder], expect: new RegExp(`^${uid}$`, "m") },
  };
}

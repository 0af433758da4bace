import { createHash } from "node:crypto";
import type { Readback, ReadbackLine } from "../service/model/provision.ts";
import type { DatabasePlan } from "../service/plan/databases.ts";

/** Reads a statement's stdin and prints rows alone, fields separated by `|`. */
const PSQL = ["psql", "--username=postgres", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only"];

/** The first words of the comment in which a database's statements carry what the server's inspection needs. */
const RECORD = "-- readback: ";

/** What {@link recordReadback} leaves in a database's statements. */
export interface DatabaseReadback extends Readback {
  readonly container: string;
}

/** How role and database are read back as `renderDatabaseSql` sets them. The password shows as the digest of its verifier. */
export function databaseReadback(plan: DatabasePlan, verifier: string): DatabaseReadback {
  const { server, name, extensions, memberOf, holdsData } = plan;
  const digest = createHash("sha256").update(verifier).digest("hex").slice(0, 12);
  const role = ["login", ...memberOf.toSorted().map((each) => `member of ${each}`)].join(", ");
  const lines: ReadbackLine[] = [
    { what: `role ${name}`, value: role },
    { what: `password of role ${name}`, value: digest },
    { what: `database ${name}`, value: `owner ${name}`, ...(holdsData && { holdsData }) },
    { what: `schema public of database ${name}`, value: `owner ${name}` },
    ...extensions.map((each) => ({ what: `extension ${each} of database ${name}`, value: "installed" })),
  ];
  return { container: server, argv: PSQL, stdin: renderReadbackSql(plan), lines };
}

function renderReadbackSql({ name, extensions }: DatabasePlan): string {
  const wanted = extensions.map((each) => `'${each}'`).join(", ") || "NULL";
  return `SELECT 'role ${name}|' || concat_ws(', ',
  CASE WHEN rolcanlogin THEN 'login' ELSE 'no login' END, CASE WHEN rolsuper THEN 'superuser' END,
  CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcreaterole THEN 'createrole' END,
  CASE WHEN rolreplication THEN 'replication' END, CASE WHEN rolbypassrls THEN 'bypassrls' END,
  CASE WHEN NOT rolinherit THEN 'noinherit' END, CASE WHEN rolconnlimit >= 0 THEN 'connection limit ' || rolconnlimit END,
  CASE WHEN rolvaliduntil < 'infinity' THEN 'valid until ' || rolvaliduntil END,
  (SELECT string_agg('member of ' || r.rolname, ', ' ORDER BY r.rolname COLLATE "C") FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid WHERE member = a.oid))
FROM pg_authid a WHERE rolname = '${name}';
SELECT 'password of role ${name}|' || coalesce(left(encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'), 12), 'none')
FROM pg_authid WHERE rolname = '${name}';
SELECT 'database ${name}|' || concat_ws(', ', 'owner ' || pg_get_userbyid(datdba),
  CASE WHEN NOT datallowconn THEN 'closed' END, CASE WHEN datconnlimit >= 0 THEN 'connection limit ' || datconnlimit END,
  CASE WHEN has_database_privilege('public', oid, 'CONNECT, TEMP, CREATE') THEN 'open to PUBLIC' END)
FROM pg_database WHERE datname = '${name}';
SELECT count(*) > 0 AS open FROM pg_database WHERE datname = '${name}' AND datallowconn \\gset
\\if :open
\\connect "${name}"
SELECT 'schema public of database ${name}|' || concat_ws(', ', 'owner ' || pg_get_userbyid(nspowner),
  CASE WHEN has_schema_privilege('public', oid, 'USAGE, CREATE') THEN 'open to PUBLIC' END)
FROM pg_namespace WHERE nspname = 'public';
SELECT 'extension ' || extname || ' of database ${name}|installed' FROM pg_extension WHERE extname IN (${wanted});
\\endif
`;
}

/** Puts the readback before the statements that set what it reads: psql takes no notice of a comment. */
export const recordReadback = (readback: DatabaseReadback, sql: string): string =>
  `${RECORD}${JSON.stringify(readback)}\n${sql}`;

/** What {@link recordReadback} recorded; undefined for statements of a program that did not. */
export function recordedReadback(sql: string): DatabaseReadback | undefined {
  if (!sql.startsWith(RECORD)) return undefined;
  return JSON.parse(sql.slice(RECORD.length, sql.indexOf("\n"))) as DatabaseReadback;
}

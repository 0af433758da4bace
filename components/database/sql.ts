import type { DatabasePlan } from "../service/plan/databases.ts";

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * Makes role and database what the plan says, on a new cluster and on an old one alike (the image's own init scripts
 * run once in a cluster's life). Ends by reading back; anything else than `t` on the last line never happens, because
 * the statement before it fails.
 */
export function renderDatabaseSql({ name, extensions, memberOf }: DatabasePlan, verifier: string): string {
  for (const word of [name, ...extensions, ...memberOf])
    if (!NAME.test(word)) throw new Error(`${word} is not a plain SQL name`);
  if (!/^SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$/.test(verifier)) {
    throw new Error("not a SCRAM verifier");
  }
  const extend = extensions.map((extension) => `CREATE EXTENSION IF NOT EXISTS "${extension}";\n`).join("");
  const join = memberOf.map((role) => `GRANT "${role}" TO "${name}";\n`).join("");
  return `\\set ON_ERROR_STOP on
SET log_min_error_statement = panic;
SET client_min_messages = warning;
SELECT 'CREATE ROLE "${name}" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') \\gexec
ALTER ROLE "${name}" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT -1 VALID UNTIL 'infinity' PASSWORD '${verifier}';
SELECT format('REVOKE %I FROM "${name}"', r.rolname) FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid WHERE member = '${name}'::regrole AND r.rolname <> ALL ('{${memberOf.join(",")}}') \\gexec
${join}SELECT 'CREATE DATABASE "${name}" OWNER "${name}" TEMPLATE template0 ENCODING ''UTF8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '${name}') \\gexec
ALTER DATABASE "${name}" OWNER TO "${name}";
ALTER DATABASE "${name}" WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1;
REVOKE ALL ON DATABASE "${name}" FROM PUBLIC;
\\connect "${name}"
SET log_min_error_statement = panic;
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO "${name}";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
${extend}DO $check$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_authid WHERE rolname = '${name}' AND rolcanlogin AND NOT rolsuper AND rolpassword = '${verifier}') THEN
    RAISE EXCEPTION 'role ${name} does not read back as set';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_database WHERE datname = '${name}' AND pg_get_userbyid(datdba) = '${name}') THEN
    RAISE EXCEPTION 'database ${name} does not belong to its role';
  END IF;
END
$check$;
`;
}

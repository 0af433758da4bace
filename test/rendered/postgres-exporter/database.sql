-- readback: {"container":"postgresql","argv":["psql","--username=postgres","--no-psqlrc","--quiet","--no-align","--tuples-only"],"stdin":"SELECT 'role postgres_exporter|' || concat_ws(', ',\n  CASE WHEN rolcanlogin THEN 'login' ELSE 'no login' END, CASE WHEN rolsuper THEN 'superuser' END,\n  CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcreaterole THEN 'createrole' END,\n  CASE WHEN rolreplication THEN 'replication' END, CASE WHEN rolbypassrls THEN 'bypassrls' END,\n  CASE WHEN NOT rolinherit THEN 'noinherit' END, CASE WHEN rolconnlimit >= 0 THEN 'connection limit ' || rolconnlimit END,\n  CASE WHEN rolvaliduntil < 'infinity' THEN 'valid until ' || rolvaliduntil END,\n  (SELECT string_agg('member of ' || r.rolname, ', ' ORDER BY r.rolname COLLATE \"C\") FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid WHERE member = a.oid))\nFROM pg_authid a WHERE rolname = 'postgres_exporter';\nSELECT 'password of role postgres_exporter|' || coalesce(left(encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'), 12), 'none')\nFROM pg_authid WHERE rolname = 'postgres_exporter';\nSELECT 'database postgres_exporter|' || concat_ws(', ', 'owner ' || pg_get_userbyid(datdba),\n  CASE WHEN NOT datallowconn THEN 'closed' END, CASE WHEN datconnlimit >= 0 THEN 'connection limit ' || datconnlimit END,\n  CASE WHEN has_database_privilege('public', oid, 'CONNECT, TEMP, CREATE') THEN 'open to PUBLIC' END)\nFROM pg_database WHERE datname = 'postgres_exporter';\nSELECT count(*) > 0 AS open FROM pg_database WHERE datname = 'postgres_exporter' AND datallowconn \\gset\n\\if :open\n\\connect \"postgres_exporter\"\nSELECT 'schema public of database postgres_exporter|' || concat_ws(', ', 'owner ' || pg_get_userbyid(nspowner),\n  CASE WHEN has_schema_privilege('public', oid, 'USAGE, CREATE') THEN 'open to PUBLIC' END)\nFROM pg_namespace WHERE nspname = 'public';\nSELECT 'extension ' || extname || ' of database postgres_exporter|installed' FROM pg_extension WHERE extname IN (NULL);\n\\endif\n","lines":[{"what":"role postgres_exporter","value":"login, member of pg_monitor"},{"what":"password of role postgres_exporter","value":"082bf3417f05"},{"what":"database postgres_exporter","value":"owner postgres_exporter"},{"what":"schema public of database postgres_exporter","value":"owner postgres_exporter"}]}
\set ON_ERROR_STOP on
SET log_min_error_statement = panic;
SET client_min_messages = warning;
SELECT 'CREATE ROLE "postgres_exporter" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postgres_exporter') \gexec
ALTER ROLE "postgres_exporter" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT -1 VALID UNTIL 'infinity' PASSWORD 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=';
SELECT format('REVOKE %I FROM "postgres_exporter"', r.rolname) FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid WHERE member = 'postgres_exporter'::regrole AND r.rolname <> ALL ('{pg_monitor}') \gexec
GRANT "pg_monitor" TO "postgres_exporter";
SELECT 'CREATE DATABASE "postgres_exporter" OWNER "postgres_exporter" TEMPLATE template0 ENCODING ''UTF8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'postgres_exporter') \gexec
ALTER DATABASE "postgres_exporter" OWNER TO "postgres_exporter";
ALTER DATABASE "postgres_exporter" WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1;
REVOKE ALL ON DATABASE "postgres_exporter" FROM PUBLIC;
\connect "postgres_exporter"
SET log_min_error_statement = panic;
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO "postgres_exporter";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
DO $check$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_authid WHERE rolname = 'postgres_exporter' AND rolcanlogin AND NOT rolsuper AND rolpassword = 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=') THEN
    RAISE EXCEPTION 'role postgres_exporter does not read back as set';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_database WHERE datname = 'postgres_exporter' AND pg_get_userbyid(datdba) = 'postgres_exporter') THEN
    RAISE EXCEPTION 'database postgres_exporter does not belong to its role';
  END IF;
END
$check$;

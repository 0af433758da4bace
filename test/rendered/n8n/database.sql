-- readback: {"container":"postgresql","argv":["psql","--username=postgres","--no-psqlrc","--quiet","--no-align","--tuples-only"],"stdin":"SELECT 'role n8n|' || concat_ws(', ',\n  CASE WHEN rolcanlogin THEN 'login' ELSE 'no login' END, CASE WHEN rolsuper THEN 'superuser' END,\n  CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcreaterole THEN 'createrole' END,\n  CASE WHEN rolreplication THEN 'replication' END, CASE WHEN rolbypassrls THEN 'bypassrls' END,\n  CASE WHEN NOT rolinherit THEN 'noinherit' END, CASE WHEN rolconnlimit >= 0 THEN 'connection limit ' || rolconnlimit END,\n  CASE WHEN rolvaliduntil < 'infinity' THEN 'valid until ' || rolvaliduntil END,\n  (SELECT string_agg('member of ' || r.rolname, ', ' ORDER BY r.rolname COLLATE \"C\") FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid WHERE member = a.oid))\nFROM pg_authid a WHERE rolname = 'n8n';\nSELECT 'password of role n8n|' || coalesce(left(encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'), 12), 'none')\nFROM pg_authid WHERE rolname = 'n8n';\nSELECT 'database n8n|' || concat_ws(', ', 'owner ' || pg_get_userbyid(datdba),\n  CASE WHEN NOT datallowconn THEN 'closed' END, CASE WHEN datconnlimit >= 0 THEN 'connection limit ' || datconnlimit END,\n  CASE WHEN has_database_privilege('public', oid, 'CONNECT, TEMP, CREATE') THEN 'open to PUBLIC' END)\nFROM pg_database WHERE datname = 'n8n';\nSELECT count(*) > 0 AS open FROM pg_database WHERE datname = 'n8n' AND datallowconn \\gset\n\\if :open\n\\connect \"n8n\"\nSELECT 'schema public of database n8n|' || concat_ws(', ', 'owner ' || pg_get_userbyid(nspowner),\n  CASE WHEN has_schema_privilege('public', oid, 'USAGE, CREATE') THEN 'open to PUBLIC' END)\nFROM pg_namespace WHERE nspname = 'public';\nSELECT 'extension ' || extname || ' of database n8n|installed' FROM pg_extension WHERE extname IN (NULL);\n\\endif\n","lines":[{"what":"role n8n","value":"login"},{"what":"password of role n8n","value":"8f6d0355a99e"},{"what":"database n8n","value":"owner n8n","holdsData":true},{"what":"schema public of database n8n","value":"owner n8n"}]}
\set ON_ERROR_STOP on
SET log_min_error_statement = panic;
SET client_min_messages = warning;
SELECT 'CREATE ROLE "n8n" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'n8n') \gexec
ALTER ROLE "n8n" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT -1 VALID UNTIL 'infinity' PASSWORD 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=';
SELECT format('REVOKE %I FROM "n8n"', r.rolname) FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid WHERE member = 'n8n'::regrole AND r.rolname <> ALL ('{}') \gexec
SELECT 'CREATE DATABASE "n8n" OWNER "n8n" TEMPLATE template0 ENCODING ''UTF8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'n8n') \gexec
ALTER DATABASE "n8n" OWNER TO "n8n";
ALTER DATABASE "n8n" WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1;
REVOKE ALL ON DATABASE "n8n" FROM PUBLIC;
\connect "n8n"
SET log_min_error_statement = panic;
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO "n8n";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
DO $check$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_authid WHERE rolname = 'n8n' AND rolcanlogin AND NOT rolsuper AND rolpassword = 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=') THEN
    RAISE EXCEPTION 'role n8n does not read back as set';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_database WHERE datname = 'n8n' AND pg_get_userbyid(datdba) = 'n8n') THEN
    RAISE EXCEPTION 'database n8n does not belong to its role';
  END IF;
END
$check$;

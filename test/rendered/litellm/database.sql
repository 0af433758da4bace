-- readback: {"container":"postgresql","argv":["psql","--username=postgres","--no-psqlrc","--quiet","--no-align","--tuples-only"],"stdin":"SELECT 'role litellm|' || concat_ws(', ',\n  CASE WHEN rolcanlogin THEN 'login' ELSE 'no login' END, CASE WHEN rolsuper THEN 'superuser' END,\n  CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcreaterole THEN 'createrole' END,\n  CASE WHEN rolreplication THEN 'replication' END, CASE WHEN rolbypassrls THEN 'bypassrls' END,\n  CASE WHEN NOT rolinherit THEN 'noinherit' END, CASE WHEN rolconnlimit >= 0 THEN 'connection limit ' || rolconnlimit END,\n  CASE WHEN rolvaliduntil < 'infinity' THEN 'valid until ' || rolvaliduntil END,\n  (SELECT string_agg('member of ' || r.rolname, ', ' ORDER BY r.rolname COLLATE \"C\") FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid WHERE member = a.oid))\nFROM pg_authid a WHERE rolname = 'litellm';\nSELECT 'password of role litellm|' || coalesce(left(encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'), 12), 'none')\nFROM pg_authid WHERE rolname = 'litellm';\nSELECT 'database litellm|' || concat_ws(', ', 'owner ' || pg_get_userbyid(datdba),\n  CASE WHEN NOT datallowconn THEN 'closed' END, CASE WHEN datconnlimit >= 0 THEN 'connection limit ' || datconnlimit END,\n  CASE WHEN has_database_privilege('public', oid, 'CONNECT, TEMP, CREATE') THEN 'open to PUBLIC' END)\nFROM pg_database WHERE datname = 'litellm';\nSELECT count(*) > 0 AS open FROM pg_database WHERE datname = 'litellm' AND datallowconn \\gset\n\\if :open\n\\connect \"litellm\"\nSELECT 'schema public of database litellm|' || concat_ws(', ', 'owner ' || pg_get_userbyid(nspowner),\n  CASE WHEN has_schema_privilege('public', oid, 'USAGE, CREATE') THEN 'open to PUBLIC' END)\nFROM pg_namespace WHERE nspname = 'public';\nSELECT 'extension ' || extname || ' of database litellm|installed' FROM pg_extension WHERE extname IN (NULL);\n\\endif\n","lines":[{"what":"role litellm","value":"login"},{"what":"password of role litellm","value":"7f9726d07ac7"},{"what":"database litellm","value":"owner litellm","holdsData":true},{"what":"schema public of database litellm","value":"owner litellm"}]}
\set ON_ERROR_STOP on
SET log_min_error_statement = panic;
SET client_min_messages = warning;
SELECT 'CREATE ROLE "litellm" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'litellm') \gexec
ALTER ROLE "litellm" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT -1 VALID UNTIL 'infinity' PASSWORD 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=';
SELECT format('REVOKE %I FROM "litellm"', r.rolname) FROM pg_auth_members JOIN pg_roles r ON r.oid = roleid WHERE member = 'litellm'::regrole AND r.rolname <> ALL ('{}') \gexec
SELECT 'CREATE DATABASE "litellm" OWNER "litellm" TEMPLATE template0 ENCODING ''UTF8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'litellm') \gexec
ALTER DATABASE "litellm" OWNER TO "litellm";
ALTER DATABASE "litellm" WITH ALLOW_CONNECTIONS true CONNECTION LIMIT -1;
REVOKE ALL ON DATABASE "litellm" FROM PUBLIC;
\connect "litellm"
SET log_min_error_statement = panic;
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO "litellm";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
DO $check$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_authid WHERE rolname = 'litellm' AND rolcanlogin AND NOT rolsuper AND rolpassword = 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=') THEN
    RAISE EXCEPTION 'role litellm does not read back as set';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_database WHERE datname = 'litellm' AND pg_get_userbyid(datdba) = 'litellm') THEN
    RAISE EXCEPTION 'database litellm does not belong to its role';
  END IF;
END
$check$;

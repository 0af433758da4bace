\set ON_ERROR_STOP on
SET log_min_error_statement = panic;
SET client_min_messages = warning;
SELECT 'CREATE ROLE "n8n" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'n8n') \gexec
ALTER ROLE "n8n" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=';
SELECT 'CREATE DATABASE "n8n" OWNER "n8n" TEMPLATE template0 ENCODING ''UTF8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'n8n') \gexec
ALTER DATABASE "n8n" OWNER TO "n8n";
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

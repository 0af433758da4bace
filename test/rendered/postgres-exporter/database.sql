\set ON_ERROR_STOP on
SET log_min_error_statement = panic;
SET client_min_messages = warning;
SELECT 'CREATE ROLE "postgres_exporter" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'postgres_exporter') \gexec
ALTER ROLE "postgres_exporter" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=';
GRANT "pg_monitor" TO "postgres_exporter";
SELECT 'CREATE DATABASE "postgres_exporter" OWNER "postgres_exporter" TEMPLATE template0 ENCODING ''UTF8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'postgres_exporter') \gexec
ALTER DATABASE "postgres_exporter" OWNER TO "postgres_exporter";
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

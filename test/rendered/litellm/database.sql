\set ON_ERROR_STOP on
SET log_min_error_statement = panic;
SET client_min_messages = warning;
SELECT 'CREATE ROLE "litellm" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'litellm') \gexec
ALTER ROLE "litellm" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD 'SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=';
SELECT 'CREATE DATABASE "litellm" OWNER "litellm" TEMPLATE template0 ENCODING ''UTF8''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'litellm') \gexec
ALTER DATABASE "litellm" OWNER TO "litellm";
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

#!/bin/bash
# What the official image's entrypoint promises, written anew for the sandbox: initialise an empty data directory
# from POSTGRES_*, run what lies in /docker-entrypoint-initdb.d once, then become the server as user postgres.
set -Eeuo pipefail

fail() { printf 'Error: %s\n' "$*" >&2; exit 1; }

# NAME or NAME_FILE, not both.
from_file() {
  local name=$1 file_name=$1_FILE default=${2:-}
  if [ -n "${!name:-}" ] && [ -n "${!file_name:-}" ]; then fail "$name and $file_name are exclusive"; fi
  if [ -n "${!file_name:-}" ]; then
    [ -r "${!file_name}" ] || fail "$file_name: cannot read ${!file_name}"
    printf -v "$name" '%s' "$(< "${!file_name}")"
  fi
  export "$name"="${!name:-$default}"
  unset "$file_name"
}

only_informs() {
  local argument
  for argument; do
    case $argument in -\? | --help | --describe-config | -V | --version) return 0 ;; esac
  done
  return 1
}

# Since 18 the volume is /var/lib/postgresql; one mounted below it would be left empty and the data lost.
refuse_old_layout() {
  [ "$PGDATA" = "/var/lib/postgresql/$PG_MAJOR/docker" ] || return 0
  local old=() place
  for place in /var/lib/postgresql /var/lib/postgresql/data /var/lib/postgresql/*/docker; do
    if [ "$place" != "$PGDATA" ] && [ -s "$place/PG_VERSION" ]; then old+=("$place"); fi
  done
  if [ ${#old[@]} -eq 0 ] && mountpoint -q /var/lib/postgresql/data; then
    old+=("/var/lib/postgresql/data (a mount that would stay unused)")
  fi
  [ ${#old[@]} -eq 0 ] || fail "since version 18 this image keeps its data in $PGDATA and wants its volume at" \
    "/var/lib/postgresql. Found instead: ${old[*]}. Mount /var/lib/postgresql, or upgrade the old data first."
}

make_directories() {
  mkdir -p "$PGDATA" /var/run/postgresql
  if [ "$(id -u)" = 0 ]; then
    find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres:postgres {} +
  fi
  chmod 700 "$PGDATA" 2>/dev/null || [ ! -O "$PGDATA" ] || fail "cannot make $PGDATA private"
}

sql() { PGHOST='' psql --no-psqlrc --no-password -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" "$@"; }

initialise() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    fail 'the database is not initialised and no superuser password is given: set POSTGRES_PASSWORD_FILE or POSTGRES_PASSWORD'
  fi
  eval "initdb -D \"\$PGDATA\" --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\$POSTGRES_PASSWORD\") $POSTGRES_INITDB_ARGS"
  local method=${POSTGRES_HOST_AUTH_METHOD:-}
  [ -n "$method" ] || method=$(postgres -C password_encryption "$@")
  printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"

  # A server that only the socket reaches, for the scripts below.
  export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
  pg_ctl -D "$PGDATA" -w start -o "$(printf '%q ' "$@" -c listen_addresses= -p "${PGPORT:-5432}")"
  if [ -z "$(sql -d postgres -v db="$POSTGRES_DB" -At <<< "select 1 from pg_database where datname = :'db'")" ]; then
    sql -d postgres -v db="$POSTGRES_DB" <<< 'create database :"db"'
  fi
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh)
        echo "$0: $script"
        # shellcheck source=/dev/null
        if [ -x "$script" ]; then "$script"; else . "$script"; fi
        ;;
      *.sql) echo "$0: $script"; sql -d "$POSTGRES_DB" -f "$script" ;;
      *.sql.gz) echo "$0: $script"; gunzip -c "$script" | sql -d "$POSTGRES_DB" ;;
      */\*) ;;
      *) echo "$0: ignoring $script" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

[ "${1#-}" = "$1" ] || set -- postgres "$@"
if [ "$1" = postgres ] && ! only_informs "$@"; then
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  [ -s "$PGDATA/PG_VERSION" ] || refuse_old_layout
  make_directories
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
  fi
  if [ -s "$PGDATA/PG_VERSION" ]; then
    printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
  else
    initialise "${@:2}"
  fi
  unset POSTGRES_PASSWORD
fi
exec "$@"

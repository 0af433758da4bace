#!/bin/sh
# What the official image's entrypoint promises, written anew for the sandbox: options or a configuration file alone
# mean redis-server; as root it hands /data to user redis and becomes that user.
set -eu

case ${1:-} in -* | *.conf) set -- redis-server "$@" ;; esac

if [ "${1:-}" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . ! -user redis -exec chown redis {} +
  exec setpriv --reuid redis --regid redis --clear-groups --no-new-privs "$0" "$@"
fi

if [ "${1:-}" = redis-server ]; then
  # Upstream's build has protected mode off; Debian's has it on and would refuse every other container.
  said="$*"
  case ${2:-} in *.conf) said="$said $(cat "$2")" ;; esac
  case $said in *protected-mode*) ;; *) set -- "$@" --protected-mode no ;; esac
  [ "$(umask)" != 0022 ] || umask 0077
fi
exec "$@"

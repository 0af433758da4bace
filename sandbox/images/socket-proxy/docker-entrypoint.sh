#!/bin/sh
# What upstream's entrypoint promises, written anew for the sandbox: where to listen follows from BIND_CONFIG or
# DISABLE_IPV6, the configuration is made in /tmp, and haproxy becomes a master with its worker in the foreground.
set -eu

# haproxy takes memory for every file that it might open.
# shellcheck disable=SC3045 # Debian's dash and BusyBox have it
ulimit -n 10000 2>/dev/null || true

if [ -z "${BIND_CONFIG:-}" ]; then
  case $DISABLE_IPV6 in 1 | [Tt]rue | [Yy]es) BIND_CONFIG=:2375 ;; *) BIND_CONFIG='[::]:2375 v4v6' ;; esac
fi
sed "s|@BIND@|$BIND_CONFIG|" /usr/local/etc/haproxy/haproxy.cfg.template >/tmp/haproxy.cfg

[ "${1:-}" != haproxy ] || { shift && set -- haproxy -W -db "$@"; }
exec "$@"

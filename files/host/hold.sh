#!/bin/bash
# Holds new connections to a container's published ports while it is replaced. Usage: hold on|off CONTAINER PORT/PROTOCOL…
# The first packet of a connection is dropped: its sender sends it again after 1, 3 and 7 seconds, and waits instead of
# being refused. `off` first waits until the container listens. What nobody takes away ends by itself, after two minutes.
set -euo pipefail

action=${1:?on or off} name=${2:?container}
shift 2
[ $# -gt 0 ] || { echo "hold: no port; allowed: 443/tcp" >&2; exit 2; }
table=vpai_hold
listen_seconds=60

elements() { local each; for each in "$@"; do printf '%s . %s, ' "${each#*/}" "${each%/*}"; done; }
tables() { sudo -n nft "$@"; }
held() { tables get element inet "$table" held "{ $(elements "$@") }" > /dev/null 2>&1; }
listens() {
  local port=${1%/*} flag=-t
  [ "${1#*/}" = tcp ] || flag=-u
  [ -n "$(sudo -n nsenter --target "$pid" --net ss --no-header --numeric --listening $flag "( sport = :$port )")" ]
}

case $action in
  on)
    tables -f - << END
table inet $table {
	set held { type inet_proto . inet_service; flags timeout; timeout 120s; }
	chain prerouting { type filter hook prerouting priority mangle; }
}
flush chain inet $table prerouting
add rule inet $table prerouting fib daddr type local ct state new meta l4proto . th dport @held drop
add element inet $table held { $(elements "$@") }
END
    held "$@" || { echo "$name: new connections to $* are not held" >&2; exit 1; }
    ;;
  off)
    pid=$(docker inspect --format '{{.State.Pid}}' "$name")
    until=$((SECONDS + listen_seconds))
    for each in "$@"; do
      until listens "$each"; do
        [ "$SECONDS" -lt "$until" ] || { echo "$name: nothing listens on $each after $listen_seconds s" >&2; exit 1; }
        sleep 0.1
      done
    done
    if tables list table inet "$table" > /dev/null 2>&1; then tables delete table inet "$table"; fi
    ;;
  *)
    echo "hold: $action: not an action; allowed: on, off" >&2
    exit 2
    ;;
esac

#!/bin/bash
# Waits until a container is healthy. Usage: gate CONTAINER SECONDS PIDS
# Sets the limit of processes first: the Docker provider has no setting for it.
set -euo pipefail

name=${1:?container} seconds=${2:?seconds} pids=${3:?pids}

fail() {
  printf '%s: %s\n' "$name" "$1" >&2
  docker inspect --format '{{if .State.Health}}{{range .State.Health.Log}}probe: {{.ExitCode}} {{.Output}}{{end}}{{end}}' "$name" \
    | tail -n 3 | cut -c 1-300 >&2
  echo "its last lines:" >&2
  docker logs --tail 20 "$name" 2>&1 | cut -c 1-300 >&2
  exit 1
}

# Between two restarts there is nothing to limit and Docker refuses: the loop tries again.
limited() {
  [ "$(docker inspect --format '{{.HostConfig.PidsLimit}}' "$name")" = "$pids" ] && return
  docker update --pids-limit "$pids" "$name" > /dev/null 2>&1 || return
  [ "$(docker inspect --format '{{.HostConfig.PidsLimit}}' "$name")" = "$pids" ]
}

deadline=$((SECONDS + seconds))
while :; do
  read -r status health restarts < <(docker inspect --format \
    '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}unchecked{{end}} {{.RestartCount}}' "$name")
  case $status/$health in
    running/healthy) if limited; then echo healthy; exit 0; fi ;;
    running/starting) limited || echo "$name: not limited yet" >&2 ;;
    running/unhealthy) fail "unhealthy" ;;
    running/unchecked) fail "it has no health check" ;;
  esac
  [ "$restarts" -lt 5 ] || fail "it restarts again and again ($restarts times)"
  [ "$SECONDS" -lt "$deadline" ] || fail "not healthy within $seconds s (last seen: $status, $health)"
  sleep 0.3
done

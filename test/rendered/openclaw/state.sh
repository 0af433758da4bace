#!/bin/sh
# OpenClaw's state, saved and brought back. Runs on the host, as root.
#   state.sh dump CONTAINER DIRECTORY     writes an archive of the directory to stdout
#   state.sh restore CONTAINER DIRECTORY  makes the directory what the archive on stdin says; what was in it before
#                                         is kept next to it, in DIRECTORY.before-restore
# Its databases are SQLite's: copied while it writes, they could not be opened again. So it is held for the moment
# that the copy on this disk takes; how long the copy then takes to wherever it goes does not matter to it.
set -eu
umask 077
what=${1:?dump or restore}
container=${2:?the container}
directory=${3:?the directory}

case $what in
dump)
  copy=$(mktemp -p /var/tmp openclaw-state.XXXXXXXX)
  trap 'docker unpause "$container" >/dev/null 2>&1 || :; rm -f "$copy"' EXIT
  trap 'exit 1' HUP INT TERM
  docker pause "$container" >/dev/null
  # Caches come back by themselves; logs are in Loki.
  tar -C "$directory" --exclude=./cache --exclude=./logs --exclude=./tmp -cf "$copy" .
  docker unpause "$container" >/dev/null
  cat "$copy"
  ;;
restore)
  new=$directory.restoring
  old=$directory.before-restore
  rm -rf "$new"
  trap 'rm -rf "$new"' EXIT
  mkdir "$new"
  # All of it has to be readable before anything is touched.
  tar -C "$new" --same-owner -xpf -
  docker stop "$container" >/dev/null
  rm -rf "$old"
  mv "$directory" "$old"
  mv "$new" "$directory"
  docker start "$container" >/dev/null
  ;;
*)
  echo "state.sh: dump or restore, not $what" >&2
  exit 2
  ;;
esac

#!/bin/bash
# Copies of Qdrant's collections and their way back. Runs in its container, whose image has bash and no HTTP client.
#   dump     writes a snapshot of each collection to stdout, as one archive
#   restore  reads that from stdin; each collection in it becomes what it was, others stay
#   prove    prints each collection with its number of points; each must find a point of its own by its vector
set -euo pipefail
export LC_ALL=C # lengths are bytes
snapshots=/qdrant/snapshots
key=$(</etc/vpai/secrets/api-key)

fail() {
  echo "snapshots: $*" >&2
  exit 1
}

# ask METHOD PATH [JSON]: prints the answer's body. HTTP/1.0, so that it comes in one piece.
ask() {
  local status line content=${3-}
  exec 3<>/dev/tcp/127.0.0.1/6333
  printf '%s %s HTTP/1.0\r\nHost: qdrant\r\napi-key: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "$key" "${#content}" "$content" >&3
  read -r _ status _ <&3
  while read -r line <&3 && [[ $line != $'\r' ]]; do :; done
  content=$(cat <&3)
  exec 3>&-
  [[ $status == 200 ]] || fail "$1 $2: $status ${content:0:300}"
  printf '%s\n' "$content"
}

# member NAME: the values of every member called so, one a line. Names of collections and snapshots hold no quotes.
member() {
  { grep -oE "\"$1\":(\"[^\"]*\"|[0-9]+)" || true; } | sed -E 's/^"[^"]*"://; s/^"//; s/"$//'
}

# A path's segment as a URL has it.
escaped() {
  local i character
  for ((i = 0; i < ${#1}; i++)); do
    character=${1:i:1}
    case $character in [A-Za-z0-9._~-]) printf '%s' "$character" ;; *) printf '%%%02X' "'$character" ;; esac
  done
}

collections() {
  ask GET /collections | member name
}

dump() {
  local names name path file list=
  made=()
  # The container keeps none: a copy on the same disk is no copy.
  # shellcheck disable=SC2154 # the trap assigns it
  trap 'for each in "${made[@]}"; do ask DELETE "$each" >/dev/null; done' EXIT
  names=$(collections)
  while IFS= read -r name; do
    [[ -n $name ]] || continue
    path=/collections/$(escaped "$name")/snapshots
    file=$(ask POST "$path?wait=true" | member name)
    made+=("$path/$(escaped "$file")")
    list+="$name/$file"$'\n'
  done <<<"$names"
  tar --create --file - --directory "$snapshots" --verbatim-files-from --files-from <(printf '%s' "$list")
}

restore() {
  local file name
  folder=$(mktemp -d "$snapshots/restore-XXXXXX")
  # Left behind, it would be among the snapshots for ever (P13).
  trap 'rm -rf "$folder"' EXIT
  tar --extract --file - --directory "$folder"
  for file in "$folder"/*/*.snapshot; do
    [[ -f $file ]] || continue
    name=$(basename "$(dirname "$file")")
    ask PUT "/collections/$(escaped "$name")/snapshots/recover?wait=true" \
      "{\"location\":\"file://$folder/$(escaped "$name")/$(escaped "$(basename "$file")")\",\"priority\":\"snapshot\"}" >/dev/null
    echo "restored $name" >&2
  done
}

prove() {
  local names name path count vector found=0
  names=$(collections)
  while IFS= read -r name; do
    [[ -n $name ]] || continue
    path=/collections/$(escaped "$name")/points
    count=$(ask POST "$path/count" '{"exact":true}' | member count)
    echo "$name $count"
    if ((count > 0)); then
      vector=$(ask POST "$path/scroll" '{"limit":1,"with_payload":false,"with_vector":true}' |
        { grep -oE '"vector":\[[^]]*\]' || true; })
      if [[ -z $vector ]]; then
        echo "$name: its vectors have names, no search was made" >&2
      else
        [[ -n $(ask POST "$path/query" "{\"query\":${vector#*:},\"limit\":1}" | member id) ]] || fail "$name finds nothing"
      fi
    fi
    found=$((found + 1))
  done <<<"$names"
  echo "every collection answers: $found"
}

case ${1-} in
dump | restore | prove) "$1" ;;
*) fail "usage: snapshots.sh dump|restore|prove" ;;
esac

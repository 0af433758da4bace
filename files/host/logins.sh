#!/bin/bash
# logins keys|any: whether sshd takes logins by key alone. Runs as root. Called over a login by key, made after the bootstrap:
# that one works before passwords stop working.
set -euo pipefail

file=/etc/ssh/sshd_config.d/10-vpai-logins.conf

fail() { echo "logins: $*" >&2; exit 1; }

# put TEXT: makes the file that text, atomically; removes it for none.
put() {
  if [ -z "$1" ]; then rm -f "$file"; return; fi
  local new
  new=$(mktemp /etc/ssh/sshd_config.d/.vpai-XXXXXX)
  printf '%s\n' "$1" > "$new"
  chmod 0644 "$new"
  mv "$new" "$file"
}

case ${1:?} in
  keys) wanted=$(cat /opt/vpai/host/logins.conf) ;;
  any) wanted= ;;
  *) fail "$1: unknown; keys or any" ;;
esac

before=$(cat "$file" 2> /dev/null || true)
put "$wanted"
if ! refusal=$(/usr/sbin/sshd -t 2>&1); then
  put "$before"
  fail "sshd refuses its configuration with $file: $(tail -n 1 <<< "$refusal")"
fi
# Also where the file is as it was: a run that was cut off may not have reloaded it.
systemctl reload ssh

effective=$(/usr/sbin/sshd -T -C user=root,host=localhost,addr=127.0.0.1)
while read -r key value; do
  [[ -z $key || $key == '#'* ]] || grep -x "${key,,} $value" <<< "$effective" > /dev/null ||
    fail "sshd does not take $key $value; do: remove $key from the file in /etc/ssh/sshd_config.d that comes before ${file##*/}, or \`pulumi config set --path vpai:ssh.passwordLogin true\`"
done <<< "$wanted"

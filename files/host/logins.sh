#!/bin/bash
# logins keys|any: whether sshd takes logins by key alone. Runs as root. Called over a login by the stack's own key, which
# goes on to work; a server of its owner's is asked for it by a setting.
set -euo pipefail

file=/etc/ssh/sshd_config.d/10-vpai-logins.conf
keep_passwords="or \`pulumi config set --path vpai:vps.passwordLogin true\`"

fail() { echo "logins: $*" >&2; exit 1; }

# Not as it would be with the file: what is tried is never what sshd would read at a boot.
check() {
  local words other
  # sshd ends its lines as on a terminal.
  words=$(/usr/sbin/sshd -t 2>&1 | tr -d '\r') || fail "sshd refuses its configuration as it is: $(head -n 1 <<< "$words"); do: see \`sshd -t\` on the server"
  # shellcheck disable=SC2046
  words=$(/usr/sbin/sshd -t $(sed -n 's/^\([A-Z][A-Za-z]*\) \(.*\)/-o \1=\2/p' <<< "$1") 2>&1 | tr -d '\r') ||
    fail "sshd refuses logins by key alone: $(head -n 1 <<< "$words"); do: change that setting, $keep_passwords"
  # sshd does not look into Match blocks for it: these users would find no method at all.
  other=$(grep -Ehi '^[[:space:]]*AuthenticationMethods[[:space:]].*(password|keyboard-interactive)' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf | head -n 1) || true
  [ -z "$other" ] || fail "sshd has \"$(xargs <<< "$other")\", which takes passwords; do: remove that line, $keep_passwords"
}

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
[ -z "$wanted" ] || check "$wanted"
# For a login that no Match block names: what those say is their owner's business.
settings() { /usr/sbin/sshd -T -C user=vpai-other,host=localhost,addr=192.0.2.1; }

# Of the sshd that runs, which may have read its settings before a file changed, or a run was cut off.
offers_passwords() {
  local answer
  answer=$(ssh -o BatchMode=yes -o PreferredAuthentications=none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -p "$(settings | sed -n 's/^port //p' | head -n 1)" vpai-other@127.0.0.1 true 2>&1 < /dev/null) || true
  grep -E '\((.*,)?(password|keyboard-interactive)[,)]' <<< "$answer" > /dev/null
}

put "$wanted"
# A restart waits until sshd is ready, and sessions live on.
if [ "$wanted" != "$before" ] || { [ -n "$wanted" ] && offers_passwords; }; then systemctl restart ssh; fi

effective=$(settings)
while read -r key value; do
  [[ -z $key || $key == '#'* ]] || grep -x "${key,,} $value" <<< "$effective" > /dev/null ||
    fail "sshd does not take $key $value; do: remove $key from what it reads before ${file##*/} (sshd_config.d, the first lines of sshd_config), $keep_passwords"
done <<< "$wanted"

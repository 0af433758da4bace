#!/bin/bash
# logins keys|any: whether sshd takes logins by key alone. Runs as root, called over a login by the
# stack's own key, which goes on to work.
set -euo pipefail

ours=/opt/vpai/host/logins.conf
file=/etc/ssh/sshd_config.d/10-vpai-logins.conf
keep_passwords="or \`pulumi config set --path vpai:vps.passwordLogin true\`"

fail() { echo "logins: $*" >&2; exit 1; }

keys_alone() {
  # Tried before the file is there: sshd would read it at a boot.
  local words other missing
  words=$(sshd -t 2>&1 | tr -d '\r') || fail "sshd refuses its configuration as it is: $(head -n 1 <<< "$words"); do: see \`sshd -t\` on the server"
  # shellcheck disable=SC2046
  words=$(sshd -t $(sed '/^#/d; s/\(.*\) /-o \1=/' "$ours") 2>&1 | tr -d '\r') ||
    fail "sshd refuses logins by key alone: $(head -n 1 <<< "$words"); do: change that setting, $keep_passwords"
  # sshd does not look for it in Match blocks.
  other=$(sed -n '/^\s*AuthenticationMethods\s.*\(password\|keyboard-interactive\)/I{s/^\s*//p;q}' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf)
  [ -z "$other" ] || fail "sshd has \"$other\", which takes passwords; do: remove that line, $keep_passwords"
  install -m 0644 "$ours" "$file.new"
  mv "$file.new" "$file"
  # Also where a run before was cut off. Sessions live on.
  systemctl restart ssh
  # For a login that no Match block names: what those say is their owner's business.
  missing=$(grep -v '^#' "$ours" | grep -vixF "$(sshd -T -C user=vpai-other,host=localhost,addr=192.0.2.1)" | head -n 1) || true
  [ -z "$missing" ] ||
    fail "sshd does not take $missing; do: remove ${missing% *} from what it reads before ${file##*/} (sshd_config.d, the first lines of sshd_config), $keep_passwords"
}

case ${1:?} in
  keys) keys_alone ;;
  any) [ ! -e "$file" ] || { rm "$file"; systemctl restart ssh; } ;;
  *) fail "$1: unknown; keys or any" ;;
esac

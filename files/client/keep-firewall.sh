# shellcheck shell=sh
# Has the server load its firewall, and keep it only if a new connection from here then gets in. Runs with sh on the machine
# that the run is on. Environment: VPAI_SSH, the configuration for ssh;
# VPAI_CLOSING: `ask` refuses first rules that close what programs of the server listen on, `open` does not. stdin: the table.
set -eu

# A connection of its own: an old one lives on whatever the rules are.
on_server() {
  ssh -F "$VPAI_SSH" -o ControlMaster=no -o ControlPath=none -o ConnectTimeout=5 vpai "$1"
}

token=$(on_server "sudo -n /usr/local/lib/vpai/firewall try $VPAI_CLOSING")
[ "$token" != unchanged ] || exit 0

tries=0
while :; do
  code=0
  answer=$(on_server "sudo -n /usr/local/lib/vpai/firewall keep $token \"\${SSH_CONNECTION%% *}\"" 2>&1 < /dev/null) || code=$?
  case $code in
    0) exit 0 ;;
    # No connection: the server takes its rules back by itself, and says so to the first one that gets in.
    255) tries=$((tries + 1)) ;;
    *)
      echo "$answer" >&2
      exit 1
      ;;
  esac
  if [ "$tries" -ge 60 ]; then
    echo "firewall: no SSH connection since the new rules were loaded: $answer" >&2
    exit 1
  fi
  sleep 1
done

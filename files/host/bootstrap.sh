#!/bin/bash
# Makes a stock Debian 12 or 13 ours: a deploy user, sshd on its port, Docker from Debian's packages, our scripts.
# Runs as root, any number of times: from cloud-init on a new server, over SSH on one that exists or lags behind.
# Environment: VPAI_SSH_PORTS, VPAI_DEPLOY_KEY, VPAI_HASH (remembered once everything has been read back).
set -euo pipefail

read -ra ports <<< "${VPAI_SSH_PORTS:?}"
key=${VPAI_DEPLOY_KEY:?} hash=${VPAI_HASH:?}
here=/opt/vpai/host
user=deploy
changed=no
docker_from=docker.io
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

fail() { echo "bootstrap: $*" >&2; exit 1; }
step() { echo "bootstrap: $* (${SECONDS}s)"; }

# try SECONDS COMMAND…: until it succeeds; its last words when it never does.
try() {
  local limit=$((SECONDS + $1)) said
  shift
  until said=$("$@" 2>&1); do
    [ "$SECONDS" -lt "$limit" ] || fail "$* still fails: $(tail -n 3 <<< "$said")"
    sleep 1
  done
}

# put MODE TARGET TEXT: makes the file that text, atomically; sets `changed` when it was not.
put() {
  local new
  new=$(mktemp "$(dirname "$2")/.vpai-XXXXXX")
  printf '%s\n' "$3" > "$new"
  chmod "$1" "$new"
  cmp -s "$new" "$2" || changed=yes
  mv "$new" "$2"
}

check_system() {
  [ "$(id -u)" = 0 ] || fail "needs root"
  # shellcheck disable=SC1091
  . /etc/os-release
  case ${ID:-}/${VERSION_ID:-} in debian/12 | debian/13) ;; *) fail "needs Debian 12 or 13, this is ${PRETTY_NAME:-unknown}" ;; esac
  # Docker makes no container that may use more CPUs than there are.
  [ "$(nproc)" -ge 2 ] || fail "needs 2 CPUs, this server has $(nproc)"
}

# sshd's effective settings for a user; a block `Match Address` may ask where the login comes from.
sshd_settings() {
  local from=${SSH_CONNECTION:-127.0.0.1}
  install -d -m 0755 /run/sshd
  sshd -T -C "user=$1,host=localhost,addr=${from%% *}"
}

# matches "PATTERN…" NAME…: whether one of sshd's patterns covers a name. USER@HOST counts: from where we come is not known.
matches() {
  local pattern name
  for name in "${@:2}"; do
    # shellcheck disable=SC2053
    for pattern in $1; do [[ $name == ${pattern%%@*} ]] && return; done
  done
  return 1
}

# Before anything is changed: else every later login fails, for minutes.
check_login() {
  local settings groups key values
  set -f
  settings=$(sshd_settings "$user") || fail "sshd refuses its configuration as it was found; do: see \`sshd -t\`"
  groups="$user docker $(id -nG "$user" 2> /dev/null)" || true
  for key in AllowUsers DenyUsers AllowGroups DenyGroups PubkeyAuthentication AuthenticationMethods; do
    values=$(sed -n "s/^${key,,} //p" <<< "$settings" | paste -sd ' ')
    # shellcheck disable=SC2001,SC2086
    case $key in
      AllowUsers) [ -z "$values" ] || matches "$values" "$user" ;;
      DenyUsers) ! matches "$(sed 's,[^ ]*@[^ ]*,,g' <<< "$values")" "$user" ;;
      AllowGroups) [ -z "$values" ] || matches "$values" $groups ;;
      DenyGroups) ! matches "$values" $groups ;;
      PubkeyAuthentication) [ "$values" = yes ] ;;
      AuthenticationMethods) grep -Eqw 'any|publickey' <<< "${values//publickey,/}" ;;
    esac || fail "sshd shuts the user $user out by $key $values; do: let $user in with its key in /etc/ssh/sshd_config or sshd_config.d"
  done
  set +f
}

# The server's own Docker, unless it is Debian's: it is used as it is.
find_docker() {
  local path swarm
  path=$(command -v dockerd) || return 0
  docker_from=$(dpkg-query -S "$(readlink -f "$path")" 2> /dev/null | cut -d : -f 1) || docker_from=$path
  [ "$docker_from" = docker.io ] || systemctl start docker > /dev/null 2>&1 || true
  swarm=$(docker info --format '{{.Swarm.LocalNodeState}}' 2>&1) || [ "$docker_from" = docker.io ] ||
    fail "Docker of $docker_from does not work ($(tail -n 1 <<< "$swarm")); do: repair it, or remove it: Debian's docker.io then takes its place"
  [ "$swarm" != active ] || fail "Docker is in a swarm, which excludes live-restore; do: \`docker swarm leave\`, or take another server"
}

make_user() {
  getent group docker > /dev/null || groupadd --system docker
  id "$user" > /dev/null 2>&1 || useradd --create-home --comment vpai --shell /bin/bash "$user"
  usermod --append --groups docker "$user"
  install -d -m 0700 -o "$user" -g "$user" "/home/$user/.ssh"
  put 0600 "/home/$user/.ssh/authorized_keys" "$key"
  chown "$user:$user" "/home/$user/.ssh/authorized_keys"
}

allow_sudo() {
  put 0440 /etc/sudoers.d/vpai "$user ALL=(ALL) NOPASSWD:ALL"
  visudo -cqf /etc/sudoers.d/vpai
}

# Asked of the kernel: a minimal system may lack ss.
listening() { grep -Eqi "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$1") [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6; }

configure_sshd() {
  local port
  changed=no
  put 0644 /etc/ssh/sshd_config.d/10-vpai.conf "$(printf 'Port %s\n' "${ports[@]}"; cat "$here/sshd.conf")"
  install -d -m 0755 /run/sshd
  sshd -t || { rm /etc/ssh/sshd_config.d/10-vpai.conf; fail "sshd refuses its configuration"; }
  # Not -q: it would cut sshd off, which counts as a failure.
  sshd_settings root | grep -x "port ${ports[0]}" > /dev/null ||
    fail "sshd does not read /etc/ssh/sshd_config.d; do: put \`Include /etc/ssh/sshd_config.d/*.conf\` in the first line of /etc/ssh/sshd_config"
  # Debian 13 can start sshd by socket, which knows no Port of sshd's.
  if systemctl is-enabled --quiet ssh.socket 2> /dev/null; then systemctl disable --quiet --now ssh.socket; changed=yes; fi
  systemctl enable --quiet ssh
  # A run that was cut off may have left it with its old settings.
  for port in "${ports[@]}"; do listening "$port" || changed=yes; done
  if [ "$changed" = yes ] || ! systemctl is-active --quiet ssh; then systemctl restart ssh; fi
  for port in "${ports[@]}"; do try 20 listening "$port"; done
}

apt_get() { apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"; }

# A power cut during an installation leaves packages half configured: apt refuses until dpkg has finished them.
mend() { dpkg --force-confdef --force-confold --configure -a; }

install_packages() { mend && apt_get install --no-remove --no-install-recommends "$@"; }

installed() { dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2> /dev/null | grep -q '^.i'; }

packages() {
  local wanted="apparmor ca-certificates curl iptables iproute2 nftables python3 sudo tini unattended-upgrades" missing=() name plan removed
  for name in $wanted $([ "$docker_from" != docker.io ] || echo docker.io); do installed "$name" || missing+=("$name"); done
  if [ ${#missing[@]} -gt 0 ]; then
    # Only dpkg's own lock knows how to wait; the lists' lock, taken by apt-daily on a first boot, does not.
    try 300 apt_get update
    try 600 mend
    plan=$(apt_get -s install --no-install-recommends "${missing[@]}" 2>&1) ||
      fail "apt cannot install ${missing[*]}: $(grep -v '^ *$' <<< "$plan" | tail -n 2 | paste -sd ' ')"
    removed=$(sed -n 's/^Remv \([^ ]*\).*/\1/p' <<< "$plan" | paste -sd ' ')
    [ -z "$removed" ] || fail "installing ${missing[*]} would remove $removed; do: remove it yourself if nothing needs it"
    try 600 install_packages "${missing[@]}"
  fi
  # Debian 13 keeps the client in a package of its own.
  command -v docker > /dev/null || try 600 install_packages docker-cli
  for name in $wanted; do installed "$name" || fail "package $name is not installed: $(dpkg-query -W -f '${Status}' "$name" 2>&1)"; done
}

# As Docker itself looks for it.
kernel_has_apparmor() { [ -e /sys/kernel/security/apparmor ] && grep -qs '^Y' /sys/module/apparmor/parameters/enabled; }
uses_apparmor() { [[ $(docker info --format '{{.SecurityOptions}}') == *name=apparmor* ]]; }

# restart_docker TEXT: its settings as they were before, put back where it does not start with the new ones. Containers live
# on: live-restore is in force once Docker has read it.
restart_docker() {
  if systemctl reload docker && systemctl restart docker; then return; fi
  printf '%s' "$1" > /etc/docker/daemon.json
  [ -n "$1" ] || rm /etc/docker/daemon.json
  systemctl reset-failed docker
  systemctl restart docker || true
  fail "Docker of $docker_from does not start with our settings in /etc/docker/daemon.json; do: \`journalctl -u docker\` on the server says why"
}

# On a server that had Docker, its owner's settings are kept beside ours.
docker_settings() {
  if [ -s /etc/docker/daemon.json ]; then
    python3 "$here/docker-settings.py" "$here/daemon.json" /etc/docker/daemon.json
  else
    cat "$here/daemon.json"
  fi
}

configure_docker() {
  local before settings running
  install -d -m 0755 /etc/docker
  # Merging takes python3. Without a file, Docker first starts with ours.
  [ ! -s /etc/docker/daemon.json ] || packages
  settings=$(docker_settings) || fail "Docker's settings cannot be put into /etc/docker/daemon.json"
  running=$(systemctl is-active docker || true)
  before=$(cat /etc/docker/daemon.json 2> /dev/null || true)
  changed=no
  put 0644 /etc/docker/daemon.json "$settings"
  packages
  systemctl enable --quiet docker
  systemctl start docker || fail "Docker of $docker_from does not start; do: \`journalctl -u docker\` on the server says why"
  if [ "$changed" = yes ] && [ "$running" = active ]; then restart_docker "$before"; fi
  try 60 docker info
  if kernel_has_apparmor && ! uses_apparmor; then restart_docker "$settings" && try 60 docker info; fi
}

# Our firewall knows Docker's bridges by their names, and lets their containers out.
check_uplink() {
  local uplink
  uplink=$(ip route show default; ip -6 route show default)
  uplink=$(sed -n 's/.* dev \(\S*\).*/\1/p' <<< "$uplink" | grep -E '^(br-|docker)' | head -n 1 || true)
  [ -z "$uplink" ] || fail "the interface $uplink leads to the internet, and its name is that of Docker's bridges (br-*, docker*); do: give it another name"
}

# A route of the owner's, such as a VPN's, would lose to those of our networks: with it perhaps the way to this server.
check_routes() {
  local other
  other=$(ip -4 route show root 172.20.0.0/16; ip -4 route show match 172.20.0.0/16)
  other=$(grep -Ev '^default|^0\.0\.0\.0/0| dev (br-|docker)' <<< "$other" | head -n 1 || true)
  [ -z "$other" ] || fail "Docker networks need 172.20.0.0/16, for which this server has the route: $other"
}

install_scripts() {
  install -d -m 0755 /usr/local/lib/vpai /var/lib/vpai /opt/vpai/data /opt/vpai/config
  local path name
  for path in "$here"/*.py "$here"/{drain,hold,logins}.sh; do
    name=${path##*/}
    install -m 0755 "$path" "/usr/local/lib/vpai/${name%.*}"
  done
}

# shellcheck disable=SC1091
has_security_list() { apt-cache policy | grep "n=$(. /etc/os-release && echo "$VERSION_CODENAME")-security,l=Debian-Security" > /dev/null; }

# Security updates by themselves, and a journal that cannot fill the disk.
configure_upkeep() {
  put 0644 /etc/apt/apt.conf.d/52vpai-upgrades "$(cat "$here/upgrades.conf")"
  changed=no
  install -d -m 0755 /etc/systemd/journald.conf.d
  put 0644 /etc/systemd/journald.conf.d/10-vpai.conf "$(cat "$here/journald.conf")"
  [ "$changed" = no ] || systemctl restart systemd-journald
  local timer
  for timer in apt-daily.timer apt-daily-upgrade.timer; do
    [ "$(systemctl is-enabled "$timer" 2> /dev/null)" = masked ] || systemctl enable --quiet --now "$timer"
  done
}

# Loads what was kept last; on a new server nothing yet. Debian's own nftables.service stays as it is found.
configure_firewall() {
  changed=no
  put 0644 /etc/systemd/system/vpai-firewall.service "$(cat "$here/vpai-firewall.service")"
  [ "$changed" = no ] || systemctl daemon-reload
  systemctl enable --quiet vpai-firewall
  systemctl start vpai-firewall || fail "the firewall cannot be loaded; do: \`journalctl -u vpai-firewall\` on the server says why"
}

# Reads back what the steps claim.
read_back() {
  local port effective
  effective=$(sshd_settings root)
  for port in "${ports[@]}"; do
    grep -qx "port $port" <<< "$effective" || fail "sshd does not take port $port"
    listening "$port" || fail "nothing listens on port $port"
  done
  grep -qx 'maxstartups 100:30:200' <<< "$effective" || fail "sshd does not take MaxStartups"
  grep -qx 'maxsessions 64' <<< "$effective" || fail "sshd does not take MaxSessions"
  id -nG "$user" | grep -qw docker || fail "$user is not in the group docker"
  [ "$(runuser -u "$user" -- sudo -n id -u)" = 0 ] || fail "$user may not use sudo"
  runuser -u "$user" -- docker info --format '{{.ServerVersion}}' > /dev/null || fail "$user may not use Docker"
  [[ $(apt-config dump APT::Periodic::Unattended-Upgrade) == *'"1"'* ]] || fail "apt does not take /etc/apt/apt.conf.d/52vpai-upgrades"
  # A pattern that matches no list of packages installs nothing, and says nothing.
  has_security_list || try 300 apt_get update
  has_security_list ||
    fail "apt has no list of Debian's security updates; do: put the suite of security.debian.org back into /etc/apt/sources.list"
  [ "$(systemd-analyze cat-config systemd/journald.conf | sed -n 's/^SystemMaxUse=//p' | tail -n 1)" = 500M ] ||
    fail "journald does not take SystemMaxUse; do: look for a file in /etc/systemd/journald.conf.d that comes after ours"
  [ "$(docker info --format '{{.LoggingDriver}} {{.LiveRestoreEnabled}}')" = "json-file true" ] || fail "Docker does not take daemon.json"
  if ! kernel_has_apparmor; then
    step "this kernel has no AppArmor: containers run without it"
  else
    uses_apparmor || fail "Docker does not use AppArmor, which the kernel has: $(docker info --format '{{.SecurityOptions}}')"
  fi
  python3 -m py_compile "$here"/*.py && rm -rf "$here/__pycache__"
}

check_system
check_login
find_docker
make_user
configure_sshd
step "sshd on port ${ports[0]}"
configure_docker
allow_sudo
check_routes
check_uplink
step "Docker $(docker version --format '{{.Server.Version}}') of $docker_from"
install_scripts
configure_firewall
configure_upkeep
read_back
put 0644 /var/lib/vpai/bootstrap "$hash"
step "done"

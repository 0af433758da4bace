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
}

make_user() {
  getent group docker > /dev/null || groupadd --system docker
  id "$user" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
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
  # Debian 13 can start sshd by socket, which knows no Port of sshd's.
  if systemctl is-enabled --quiet ssh.socket 2> /dev/null; then systemctl disable --quiet --now ssh.socket; changed=yes; fi
  systemctl enable --quiet ssh
  if [ "$changed" = yes ] || ! systemctl is-active --quiet ssh; then systemctl restart ssh; fi
  for port in "${ports[@]}"; do try 20 listening "$port"; done
}

packages() {
  local wanted="ca-certificates curl docker.io iptables iproute2 python3 sudo tini" missing=() name
  for name in $wanted; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2> /dev/null | grep -q '^ii' || missing+=("$name")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    # Only dpkg's own lock knows how to wait; the lists' lock, taken by apt-daily on a first boot, does not.
    try 300 apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update
    try 600 apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install --no-install-recommends "${missing[@]}"
  fi
  # Debian 13 keeps the client in a package of its own.
  if ! command -v docker > /dev/null; then
    try 600 apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install --no-install-recommends docker-cli
  fi
}

configure_docker() {
  changed=no
  install -d -m 0755 /etc/docker
  put 0644 /etc/docker/daemon.json "$(cat "$here/daemon.json")"
  packages
  systemctl enable --quiet docker
  if [ "$changed" = yes ] && [ "$1" = installed ]; then systemctl restart docker; else systemctl start docker; fi
  try 60 docker info
}

install_scripts() {
  install -d -m 0755 /usr/local/lib/vpai /var/lib/vpai /opt/vpai/data /opt/vpai/config
  local path name
  for path in "$here"/*.py "$here/gate.sh"; do
    name=${path##*/}
    install -m 0755 "$path" "/usr/local/lib/vpai/${name%.*}"
  done
}

# Reads back what the steps claim.
read_back() {
  local port effective
  effective=$(sshd -T -C user=root,host=localhost,addr=127.0.0.1)
  for port in "${ports[@]}"; do
    grep -qx "port $port" <<< "$effective" || fail "sshd does not take port $port"
    listening "$port" || fail "nothing listens on port $port"
  done
  grep -qx 'maxstartups 100:30:200' <<< "$effective" || fail "sshd does not take MaxStartups"
  grep -qx 'maxsessions 64' <<< "$effective" || fail "sshd does not take MaxSessions"
  id -nG "$user" | grep -qw docker || fail "$user is not in the group docker"
  [ "$(runuser -u "$user" -- sudo -n id -u)" = 0 ] || fail "$user may not use sudo"
  runuser -u "$user" -- docker info --format '{{.ServerVersion}}' > /dev/null || fail "$user may not use Docker"
  [ "$(docker info --format '{{.LoggingDriver}} {{.LiveRestoreEnabled}}')" = "json-file true" ] || fail "Docker does not take daemon.json"
  python3 -m py_compile "$here"/*.py && rm -rf "$here/__pycache__"
}

check_system
had_docker=$(command -v dockerd > /dev/null && echo installed || echo missing)
make_user
configure_sshd
step "sshd on port ${ports[0]}"
configure_docker "$had_docker"
allow_sudo
step "Docker $(docker version --format '{{.Server.Version}}')"
install_scripts
read_back
put 0644 /var/lib/vpai/bootstrap "$hash"
step "done"

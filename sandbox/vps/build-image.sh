#!/bin/bash
# Builds the image of a fresh Debian 12 server, as a cloud hands it out: root by key on port 22, cloud-init,
# python3, nothing else. Usage: build-image.sh TAG CA_CERTIFICATE [docker import arguments]
# Needs root, mmdebstrap and docker. Under a minute on two idle cores, about 660 MB.
set -euo pipefail
tag=${1:?image tag} ca=${2:?the sandbox CA certificate}
shift 2
files=$(cd "$(dirname "$0")/files" && pwd)

packages=(
  systemd systemd-sysv dbus udev kmod procps locales less cron logrotate rsyslog unattended-upgrades
  apt-utils openssh-server cloud-init sudo gnupg ca-certificates curl rsync
  python3 python3-apt python3-systemd
  iproute2 iptables iputils-ping netbase
)
# What has no meaning inside a container, or would wait for hardware that is not there.
masked=(
  systemd-udevd.service systemd-udev-trigger.service systemd-modules-load.service systemd-networkd-wait-online.service
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount
  getty.target console-getty.service apt-daily.timer apt-daily-upgrade.timer
)

# In single quotes: mmdebstrap runs each hook with the new root as its $1.
# shellcheck disable=SC2016
hooks=(
  "--customize-hook=copy-in $files/rootfs /tmp"
  '--customize-hook=cp -a $1/tmp/rootfs/. $1/ && rm -rf $1/tmp/rootfs'
  "--customize-hook=install -Dm644 '$ca' \$1/usr/local/share/ca-certificates/sandbox.crt"
  '--customize-hook=chroot $1 update-ca-certificates >/dev/null'
  "--customize-hook=for unit in ${masked[*]}; do ln -sf /dev/null \$1/etc/systemd/system/\$unit; done"
  '--customize-hook=ln -sf /lib/systemd/system/multi-user.target $1/etc/systemd/system/default.target'
  # What makes one machine that machine must not be in the image.
  '--customize-hook=rm -f $1/etc/ssh/ssh_host_* $1/var/lib/dbus/machine-id $1/usr/sbin/policy-rc.d $1/etc/resolv.conf $1/etc/hostname'
  '--customize-hook=: >$1/etc/machine-id'
)

mmdebstrap --quiet --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
  --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  "${hooks[@]}" bookworm - |
  docker import --change 'CMD ["/usr/local/sbin/sandbox-init"]' --change 'ENV container=docker' "$@" - "$tag"

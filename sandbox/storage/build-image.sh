#!/bin/bash
# Builds the image of an object storage: Ceph's monitor, OSD and S3 gateway of Debian 12, the release that Hetzner runs.
# Usage: build-image.sh TAG [docker import arguments]
# Needs root, mmdebstrap and docker. About two minutes on two idle cores, about 500 MB.
set -euo pipefail
tag=${1:?image tag}
shift
files=$(cd "$(dirname "$0")/files" && pwd)

# In single quotes: mmdebstrap runs each hook with the new root as its $1.
# shellcheck disable=SC2016
hooks=(
  "--customize-hook=copy-in $files/rootfs /tmp"
  '--customize-hook=cp -a $1/tmp/rootfs/. $1/ && rm -rf $1/tmp/rootfs'
  '--customize-hook=rm -f $1/usr/sbin/policy-rc.d $1/etc/resolv.conf $1/etc/hostname'
)

mmdebstrap --quiet --variant=minbase --include=ceph-mon,ceph-osd,radosgw \
  --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  "${hooks[@]}" bookworm - |
  docker import --change 'USER ceph' --change 'CMD ["/usr/local/sbin/sandbox-storage"]' "$@" - "$tag"

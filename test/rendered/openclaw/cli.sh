#!/bin/sh
# OpenClaw's own command, with the gateway's token, which a plain `docker exec` does not have. Runs in the container.
#   docker exec openclaw sh /etc/vpai/cli.sh devices approve <id>
set -eu
set -a
# shellcheck source=/dev/null
. /etc/vpai/secrets/env
set +a
exec openclaw "$@"

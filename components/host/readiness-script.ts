import { HOST_COMMANDS } from "../vps/bootstrap.ts";

import { DEPLOY_USER } from "../vps/machine.ts";

/** What the readiness gate checks last, besides what the bootstrap itself reads back. */
export const READY = "ready";

/**
 * Waits for cloud-init, compares the machine's bootstrap with ours and runs ours (which comes on stdin) when they
 * differ; then has sshd take the logins that it is to take. Its last line is {@link READY}; the log of a bootstrap stays
 * on the machine.
 */
export function renderReadinessScript(): string {
  return `set -euo pipefail
script=$(mktemp)
trap 'rm -f "$script"' EXIT
cat > "$script"
if command -v cloud-init > /dev/null; then
  timeout 900 cloud-init status --wait > /dev/null || echo "cloud-init finished with errors: /var/log/cloud-init-output.log" >&2
fi
wanted=$(sed -n 's/^export VPAI_HASH=//p' "$script")
actual=$(cat /var/lib/vpai/bootstrap 2> /dev/null || echo none)
if [ "$actual" != "$wanted" ]; then
  sudo -n install -d -m 0755 /var/log/vpai
  sudo -n bash "$script" 2>&1 | sudo -n tee /var/log/vpai/bootstrap.log | tail -n 5 >&2
fi
[ "$(cat /var/lib/vpai/bootstrap)" = "$wanted" ]
[ "$(id -un)" = ${DEPLOY_USER} ]
sudo -n -u ${DEPLOY_USER} docker info --format '{{.ServerVersion}}' > /dev/null
for name in ${HOST_COMMANDS.join(" ")}; do test -x "/usr/local/lib/vpai/$name"; done
# Over a login by the stack's key: that one needs no password.
sudo -n /usr/local/lib/vpai/logins "$(sed -n 's/^export VPAI_LOGINS=//p' "$script")"
echo ${READY}
`;
}

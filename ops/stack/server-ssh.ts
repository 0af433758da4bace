import { BAN_SECONDS } from "../../components/host/software/fail2ban.ts";
import { SSH_ALIAS } from "../../components/host/ssh-files.ts";
import type { Fault } from "../../shared/errors.ts";

/** Words of `ssh` for a command on a stack's server that asks the operator nothing; the command follows them. */
export const batchSsh = (config: string, connectSeconds = 15): readonly string[] => [
  "-F",
  config,
  "-o",
  "BatchMode=yes",
  "-o",
  `ConnectTimeout=${connectSeconds}`,
  SSH_ALIAS,
];

/** What to do about "No route to host": no router says that of a server that is on, and fail2ban does. */
export const MAYBE_BANNED = `if this address has failed to log in too often, it is let in again after ${BAN_SECONDS / 60} minutes or more (docs/operations.md#bans); else check that the server is on, and what \`vpai:ssh.allowedCidrs\` and its firewall let in`;

/** The fault of a server that ssh could not run a command on; `stderr` is what ssh printed. */
export function serverFault(stack: string, stderr: string): Fault {
  const found = stderr.trim().split("\n").at(-1) ?? "";
  return {
    key: `server of stack ${stack}`,
    found,
    fix: /no route to host/i.test(found) ? MAYBE_BANNED : `\`vpai drift --stack ${stack}\` says whether it runs`,
  };
}

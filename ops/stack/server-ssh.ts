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

/** The fault of a server that ssh could not run a command on; `stderr` is what ssh printed. */
export function serverFault(stack: string, stderr: string): Fault {
  return {
    key: `server of stack ${stack}`,
    found: stderr.trim().split("\n").at(-1) ?? "",
    fix: `\`vpai drift --stack ${stack}\` says whether it runs`,
  };
}

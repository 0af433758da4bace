import type { Fault } from "../../shared/errors.ts";
import { serverFault } from "../stack/server-ssh.ts";

/** What ssh answered to a question to the server's Docker; no exit code when it timed out. */
export interface SshAnswer {
  readonly exitCode?: number | undefined;
  readonly stderr: string;
}

/** ssh's own exit code when it could not connect (ssh(1), exit status). */
const NOT_CONNECTED = 255;

/** Why the server's Docker cannot be asked; undefined when it can. No answer at all: ssh was never configured. */
export function unreachable(stack: string, answer: SshAnswer | undefined): Fault | undefined {
  if (answer === undefined)
    return {
      key: `server of stack ${stack}`,
      found: "this clone has never connected to it, so what runs there cannot be read",
      fix: `\`vpai preview --stack ${stack}\` once, then this command again`,
    };
  if (answer.exitCode === 0) return undefined;
  if (answer.exitCode === NOT_CONNECTED) return serverFault(stack, answer.stderr);
  const why = answer.exitCode === undefined ? "no answer within a minute" : answer.stderr.trim().split("\n").at(-1);
  return {
    key: `Docker on the server of stack ${stack}`,
    found: `${why ?? ""}; nothing there can be read, and nothing has been changed`,
    fix: `\`vpai ssh --stack ${stack} -- sudo systemctl status docker\` says why; start it, then run this command again`,
  };
}

import { execa } from "execa";
import { type Fault, OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { batchSsh, serverFault } from "./server-ssh.ts";

export interface ServerCommand {
  readonly stack: string;
  /** The configuration for ssh, relative to the clone. */
  readonly config: string;
  /** What runs there, by way of a shell. */
  readonly words: readonly string[];
  /** @default nothing */
  readonly input?: string;
  /** How long it may take. @default as long as it takes */
  readonly seconds?: number;
  /** Also shows what it prints, as it comes. */
  readonly shown?: boolean;
  /** The fault of a command that failed; `lastLine` is the last that it printed as an error. */
  readonly fault: (lastLine: string, all: string) => Fault;
}

/** What ssh itself ends with; commands of ours do not. */
const NOT_CONNECTED = 255;

/** Runs a command on a stack's server; answers what it printed. @throws OperatorError */
export async function onServer(command: ServerCommand): Promise<string> {
  const { stack, config, words, input, seconds, shown = false, fault } = command;
  const result = await execa("ssh", [...batchSsh(config), ...words], {
    cwd: PROJECT_ROOT,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    stdout: shown ? ["inherit", "pipe"] : "pipe",
    ...(seconds !== undefined && { timeout: seconds * 1000 }),
    reject: false,
  });
  if (result.exitCode === 0) return result.stdout;
  if (result.exitCode === NOT_CONNECTED) throw new OperatorError(serverFault(stack, result.stderr));
  const lastLine = result.timedOut
    ? `no answer within ${seconds} s`
    : (result.stderr.trim().split("\n").at(-1) ?? `exit code ${result.exitCode}`);
  throw new OperatorError(fault(lastLine, result.stderr));
}

import { deployedServices } from "../../stacks/catalogue.ts";
import { requireStack } from "../stack/context.ts";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { run, RunError } from "../../shared/exec.ts";
import { requireSshConfig } from "../deploy/ssh.ts";
import type { StackChoice } from "../deploy/open.ts";
import { type LiveMemory, MEMORY_COMMAND, parseLiveMemory } from "./live-memory.ts";
import { stackPins } from "../images/stack-images.ts";
import { serviceRows, servicesTable } from "./table.ts";
import { StackFile } from "../stack/config-file.ts";
import { batchSsh, serverFault } from "../stack/server-ssh.ts";

interface ServicesOptions {
  readonly stack?: string;
  readonly instance: string;
  readonly json: boolean;
  /** Whether the stack's server is asked what each service takes. */
  readonly live: boolean;
}

/** `vpai services`. */
export async function runServices({ stack, instance, json, live }: ServicesOptions): Promise<void> {
  if (stack !== undefined) requireStack(stack);
  const measured = live ? await liveMemory({ stack: requireLiveStack(stack), instance }) : undefined;
  const file = stack === undefined ? new StackFile("") : StackFile.read(stack);
  for (const notice of file.notices) process.stderr.write(`! ${notice}\n`);
  const input = {
    size: file.size,
    domain: file.domain ?? "<domain>",
    pins: stackPins(file),
    ...(measured && { live: measured }),
  };
  const rows = serviceRows(deployedServices(file), input);
  process.stdout.write(json ? `${JSON.stringify(rows, undefined, 2)}\n` : servicesTable(rows, input));
}

function requireLiveStack(stack: string | undefined): string {
  if (stack !== undefined) return stack;
  throw new OperatorError({
    key: "--live",
    found: "no --stack",
    allowed: "the stack whose server is asked",
    fix: "add --stack, such as --stack sandbox",
  });
}

/** Asks the server of a stack, in one round trip. */
async function liveMemory(choice: StackChoice): Promise<LiveMemory> {
  const words = [...batchSsh(requireSshConfig(choice)), MEMORY_COMMAND];
  try {
    return parseLiveMemory((await run("ssh", words, { cwd: PROJECT_ROOT, timeoutMs: 60_000 })).stdout);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    throw new OperatorError(serverFault(choice.stack, error.stderr.trim() || error.message));
  }
}

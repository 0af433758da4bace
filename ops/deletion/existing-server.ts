import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { type Fault, OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { readExpected, sshWords } from "../drift/inspect.ts";
import { prune } from "../images/prune.ts";
import type { StackContext } from "../stack/context.ts";
import { batchSsh, serverFault } from "../stack/server-ssh.ts";
import { keptLines, leaveLines, type LeaveAnswer, type LeaveChoice, refusalOf } from "./existing-plan.ts";

/** Writes the files for ssh while the state still has the key: the removal comes after the resources' own. */
export async function prepareLeave(context: StackContext): Promise<void> {
  const expected = await readExpected(context);
  if (expected) sshWords(context, expected);
}

/**
 * Takes a deployment off a server that stays with its owner, after `destroy` has removed its resources. Our own way in goes
 * last. Until then the key stays in the work folder, so that the same command can be run again.
 */
export async function leaveServer(
  context: StackContext,
  choice: LeaveChoice,
  report: (line: string) => void,
): Promise<void> {
  const { stack } = context;
  const folder = join(context.relativeWorkDir, "ssh");
  const config = join(folder, "config");
  if (!existsSync(join(PROJECT_ROOT, config))) return;
  if (choice.keep) return keptLines(stack).forEach(report);
  const images = await prune(stack, config).catch((error: unknown) => {
    if (!(error instanceof OperatorError)) throw error;
    return `images stay on the server: ${error.message}`;
  });
  report(images);
  // The connection that the engine shares would hold the session open that is about to end.
  await execa("ssh", ["-O", "exit", ...batchSsh(config)], { cwd: PROJECT_ROOT, reject: false });
  const answer = await onServer(stack, config, choice);
  const goes = answer.access.startsWith("goes");
  if (goes) await untilShutOut(stack, config);
  leaveLines(stack, answer).forEach(report);
  if (goes) await rm(join(PROJECT_ROOT, folder), { recursive: true, force: true });
}

async function onServer(stack: string, config: string, { withData }: LeaveChoice): Promise<LeaveAnswer> {
  const script = await readFile(join(PROJECT_ROOT, "files", "host", "leave.py"), "utf8");
  const plan = JSON.stringify({ withData });
  const result = await execa("ssh", [...oneConnection(config), "sudo", "-n", "python3", "-I", "-", `'${plan}'`], {
    cwd: PROJECT_ROOT,
    input: script,
    reject: false,
    timeout: 300_000,
  });
  if (result.exitCode === 0) return JSON.parse(result.stdout) as LeaveAnswer;
  throw new OperatorError(
    result.exitCode === 255
      ? serverFault(stack, result.stderr)
      : notRemoved(stack, result.stderr.trim().split("\n").at(-1)),
  );
}

/** Words of `ssh` for a connection that nothing else shares. */
const oneConnection = (config: string): string[] => ["-o", "ControlPath=none", ...batchSsh(config, 5)];

const LEAVE_MS = 60_000;

/** The server opens our port again within this time, where its owner's did not open (files/host/leave.py). */
const REFUSED_MS = 25_000;

/**
 * Waits until the server itself turns our key away: no answer at all proves nothing, and a closed port only when it stays
 * closed.
 */
async function untilShutOut(stack: string, config: string): Promise<void> {
  const deadline = Date.now() + LEAVE_MS;
  let refusedSince: number | undefined;
  for (;;) {
    const { exitCode, stderr } = await execa("ssh", [...oneConnection(config), "true"], {
      cwd: PROJECT_ROOT,
      reject: false,
      stdin: "ignore",
    });
    const answer = exitCode === 255 ? refusalOf(stderr) : undefined;
    if (answer === "key") return;
    refusedSince = answer === "port" ? (refusedSince ?? Date.now()) : undefined;
    if (refusedSince !== undefined && Date.now() - refusedSince > REFUSED_MS) return;
    if (Date.now() > deadline) throw new OperatorError(notRemoved(stack, lastLogin(exitCode, stderr)));
    await pause(1_000);
  }
}

/** What was seen of the last login that was tried. */
function lastLogin(exitCode: number | undefined, stderr: string): string {
  const seconds = LEAVE_MS / 1000;
  if (exitCode !== 255) return `the user deploy still logs in after ${seconds} s`;
  return `whether the user deploy still logs in is unknown after ${seconds} s: ${stderr.trim().split("\n").at(-1)}`;
}

const notRemoved = (stack: string, found = "no answer"): Fault => ({
  key: `server of stack ${stack}`,
  found: `not left as it was: ${found}`,
  fix: `\`journalctl -u vpai-leave\` on the server says more; then \`vpai destroy --stack ${stack}\` again`,
});

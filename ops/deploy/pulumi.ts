import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { requireUnprotected } from "../deletion/guarded-destroy.ts";
import { ensureStack } from "../engine/run.ts";
import { destroys, namedStack, needsStack, withStack } from "../engine/plain-engine.ts";
import { createScreen } from "../stack/terminal.ts";
import { openStack, type StackChoice } from "./open.ts";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** `vpai pulumi`: the plain engine, at the operator's own terminal, on the stack with all that it needs. */
export async function runPulumi(args: readonly string[], choice: StackChoice): Promise<void> {
  const screen = createScreen();
  if (destroys(args)) requireSameStack(args, choice.stack);
  const { context } = await openStack(choice, (line) => screen.line(line));
  if (destroys(args)) await requireUnprotected(context);
  if (needsStack(args)) await ensureStack(context);
  const child = spawn("pulumi", args, {
    cwd: PROJECT_ROOT,
    env: withStack(context.env, context.stack),
    stdio: "inherit",
  });
  // Ctrl-C reaches both; the engine handles it.
  const stay = (): void => undefined;
  const pass = (): void => void child.kill("SIGTERM");
  process.on("SIGINT", stay).on("SIGTERM", pass);
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  process.off("SIGINT", stay).off("SIGTERM", pass);
  process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}

/** Another stack than the one that is looked at would be destroyed without a look. */
function requireSameStack(args: readonly string[], stack: string): void {
  const named = namedStack(args)?.split("/").at(-1);
  if (named === undefined || named === stack) return;
  throw new OperatorError({
    key: "--stack after `--`",
    found: named,
    allowed: stack,
    fix: `leave it out there: \`vpai destroy --stack ${named}\``,
  });
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { CLONE } from "./context.ts";
import { ensureStack } from "./engine.ts";
import { needsStack, withStack } from "./plain-engine.ts";
import { createScreen } from "./screen.ts";
import { openStack, type StackChoice } from "./stack.ts";

/** `vpai pulumi`: the plain engine, at the operator's own terminal, on the stack with all that it needs. */
export async function runPulumi(args: readonly string[], choice: StackChoice): Promise<void> {
  const screen = createScreen();
  const { context } = await openStack(choice, (line) => screen.line(line));
  if (needsStack(args)) await ensureStack(context);
  const child = spawn("pulumi", args, { cwd: CLONE, env: withStack(context.env, context.stack), stdio: "inherit" });
  // Ctrl-C reaches both; what it means is the engine's to say.
  const stay = (): void => undefined;
  const pass = (): void => void child.kill("SIGTERM");
  process.on("SIGINT", stay).on("SIGTERM", pass);
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  process.off("SIGINT", stay).off("SIGTERM", pass);
  process.exitCode = signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}

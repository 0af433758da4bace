import type { ImageSource } from "../../sandbox/image-sources.ts";
import type { RunningWorld } from "../../sandbox/supervisor/running.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { duration } from "../engine/progress.ts";
import { mergeEnv, requireOwnShell, SANDBOX, stackContext } from "../stack/context.ts";
import { createScreen } from "../stack/terminal.ts";
import { type FastResult, runFast } from "./fast-path.ts";

interface FastChoice {
  readonly stack: string;
  readonly instance: string;
  /** Whether the operator wants to see every change first. */
  readonly asks: boolean;
  /** Where a sandbox's images have to come from. @default as before */
  readonly images?: ImageSource | undefined;
}

/** `vpai start` and `vpai up` without the engine: the result, or undefined where the engine has to run. */
export async function tryFast(choice: FastChoice): Promise<FastResult | undefined> {
  const { stack, instance, asks } = choice;
  requireOwnShell(stack, process.env);
  const world = stack === SANDBOX ? await runningWorld(instance) : undefined;
  if (stack === SANDBOX && world === undefined) return undefined;
  if (choice.images !== undefined && choice.images !== world?.images) return undefined;
  const work = `.vpai/${stack === SANDBOX ? instance : stack}`;
  // Nothing was converged from here; and nothing may be made before the settings are checked.
  if (!existsSync(join(PROJECT_ROOT, work))) return undefined;
  const env = mergeEnv(process.env, {}, world?.env, work);
  const screen = createScreen();
  const report = (line: string): void => screen.line(line);
  const result = await runFast({ context: await stackContext(stack, work, env), report, mayRepair: !asks });
  if (result === undefined || result.started.length === 0) return result;
  await (await import("../smoke/command.ts")).checkServices(choice, result.started, report);
  return result;
}

/** A sandbox that runs this code; undefined where none does. */
async function runningWorld(instance: string): Promise<RunningWorld | undefined> {
  const { findRunningWorld } = await import("../../sandbox/supervisor/running.ts");
  return findRunningWorld(instance);
}

/** `vpai up` without the engine; false where the engine has to run. */
export async function tryFastUp(choice: FastChoice): Promise<boolean> {
  const from = Date.now();
  const result = await tryFast(choice);
  if (result === undefined) return false;
  createScreen().line(
    `✓ no changes: program, settings, state and server are as the last run left them ${duration(Date.now() - from)}`,
  );
  return true;
}

/** `vpai start` without the engine; false where the engine has to run. */
export async function tryFastStart(instance: string, images: ImageSource | undefined): Promise<boolean> {
  const from = Date.now();
  const result = await tryFast({ stack: SANDBOX, instance, asks: false, images });
  if (result === undefined) return false;
  const { renderSummary } = await import("../deploy/summary.ts");
  const { links, fakes } = result.converged;
  const changed = result.started.length > 0;
  process.stdout.write(renderSummary({ instance, links, fakes, changed, ms: Date.now() - from }));
  return true;
}

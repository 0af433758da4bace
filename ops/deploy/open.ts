import { OperatorError } from "../../shared/errors.ts";
import type { World } from "../../sandbox/supervisor/client.ts";
import { mergeEnv, requireOwnShell, requireStack, SANDBOX, stackContext, type StackContext } from "../stack/context.ts";
import { needsRecovery, recover } from "../recover/recover.ts";
import { StackFile } from "../stack/config-file.ts";
import { ensureTools } from "../stack/packages.ts";

type Report = (line: string) => void;

/** A stack ready for the engine; `world` for the sandbox stack. */
export interface OpenStack {
  readonly context: StackContext;
  readonly world?: World;
}

export interface StackChoice {
  readonly stack: string;
  readonly instance: string;
}

/** `--instance` means something only in the sandbox. */
export function requireChoice({ stack, instance }: StackChoice): void {
  requireStack(stack);
  if (stack === SANDBOX || instance === SANDBOX) return;
  throw new OperatorError({
    key: "--instance",
    found: `${instance}, with stack ${stack}`,
    allowed: "only with --stack sandbox",
    fix: "leave it out",
  });
}

/** Provides engine and plugins, and for the sandbox stack the running sandbox. */
export async function openStack(choice: StackChoice, report: Report): Promise<OpenStack> {
  requireChoice(choice);
  requireOwnShell(choice.stack, process.env);
  await ensureTools([["ssh", "openssh-client"]], "Docker over SSH", report);
  const world = choice.stack === SANDBOX ? openSandbox(choice.instance, report) : undefined;
  const { ensureToolchain } = await import("../../toolchain/toolchain.ts");
  const [opened, toolchain] = await Promise.all([world, ensureToolchain(report)]);
  const work = `.vpai/${choice.stack === SANDBOX ? choice.instance : choice.stack}`;
  const env = mergeEnv(process.env, toolchain.env, opened?.env(), work);
  return { context: await stackContext(choice.stack, work, env), ...(opened ? { world: opened } : {}) };
}

/** For a question about a stack: a sandbox that is not up is not started for it. */
export async function openRunningStack(choice: StackChoice, report: Report): Promise<OpenStack> {
  requireChoice(choice);
  if (choice.stack === SANDBOX) await (await import("../stack/running-sandbox.ts")).requireRunning(choice.instance);
  return openStack(choice, report);
}

async function openSandbox(instance: string, report: Report): Promise<World> {
  const { ensureDocker } = await import("../../toolchain/docker.ts");
  await ensureDocker(report);
  const { openWorld } = await import("../../sandbox/supervisor/client.ts");
  const world = await openWorld(instance, { report });
  if (StackFile.read(SANDBOX).backup !== undefined) await world.openStorage(report);
  return world;
}

/** Resolves what an interrupted run left, if there is anything. */
export async function recoverIfNeeded(context: StackContext, report: Report): Promise<void> {
  if (await needsRecovery(context)) await recover(context, report);
}

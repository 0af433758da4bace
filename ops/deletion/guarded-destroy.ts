import { OperatorError } from "../../shared/errors.ts";
import { hetznerAccess } from "../recover/recover.ts";
import { MOST_VERBOSE } from "../engine/redacted-log.ts";
import { runOperation, type RunResult } from "../engine/run.ts";
import { resourcesOf } from "../engine/state.ts";
import { StackFile } from "../stack/config-file.ts";
import type { StackContext } from "../stack/context.ts";
import { announceLeave, type LeaveChoice } from "./existing-plan.ts";
import { leaveServer, prepareLeave } from "./existing-server.ts";
import { factsOf, type GuardedRun, typed } from "./guarded-up.ts";
import { removeLeftovers } from "./hetzner-leftovers.ts";
import { liftProtection } from "./hetzner-protection.ts";
import { knownAtHetzner, presentCredentials, protectedFault } from "./protected.ts";

/** Refuses a protected stack, before recovery or anything else has touched it. */
export async function requireUnprotected(context: StackContext): Promise<void> {
  const { stack } = context;
  const fault = protectedFault(await resourcesOf(context), StackFile.read(stack).protect, await factsOf(context));
  if (fault) throw new OperatorError(fault);
}

/** Whether the server outlives the stack. */
export const isExisting = (stack: string): boolean => StackFile.read(stack).provider === "existing";

/**
 * `destroy`, with the credentials of now and not those in the state, and with a look at Hetzner afterwards: a DELETE that
 * the API answers with an error counts as done for the provider (terraform-provider-hcloud issue 579). A server that was
 * there before is left as it was.
 */
export async function guardedDestroy(
  context: StackContext,
  run: GuardedRun,
  leave: LeaveChoice,
): Promise<RunResult | undefined> {
  const { screen, flags, verbose, helpExplain, asks, allowDelete } = run;
  const { stack } = context;
  const existing = isExisting(stack);
  const report = (line: string): void => screen.line(line);
  if (existing) announceLeave(stack, leave).forEach(report);
  else report(`all resources of stack ${stack} will be deleted, with all data on its server`);
  const unasked = asks !== true && (!leave.withData || allowDelete === stack);
  if (!unasked && !(await typed(`Delete them? Type "${stack}" to continue: `, stack))) return undefined;
  const before = await resourcesOf(context);
  // An `up` without protection that failed half way leaves it.
  if (!flags.some((flag) => flag.startsWith("--preview-only"))) await liftProtection(context, () => true);
  // A part of the stack, or a preview: the rest still needs what it has.
  const whole = !flags.some((flag) => /^(--target|-t|--exclude|--preview-only)/.test(flag));
  if (existing && whole) await prepareLeave(context);
  const all = [...(verbose ? MOST_VERBOSE : []), ...presentCredentials(before), ...flags];
  const result = await runOperation("destroy", context, { screen, flags: all, helpExplain });
  if (existing && whole) await leaveServer(context, leave, report);
  const atHetzner = before.some(({ type }) => type.startsWith("hcloud:")) || StackFile.read(stack).atHetzner;
  const access = atHetzner ? await hetznerAccess(context, { deployment: {} }) : undefined;
  if (access && whole) await removeLeftovers(access, stack, knownAtHetzner(before), allowDelete === stack, report);
  return result;
}

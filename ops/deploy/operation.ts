import { OperatorError } from "../../shared/errors.ts";
import { SANDBOX, type StackContext } from "../stack/context.ts";
import { type LeaveChoice, leaveFault } from "../deletion/existing-plan.ts";
import { guardedDestroy, isExisting, requireUnprotected } from "../deletion/guarded-destroy.ts";
import { guardedPreview, guardedUp, type GuardedRun, typed } from "../deletion/guarded-up.ts";
import { programFingerprint } from "../deletion/plan-fingerprint.ts";
import { removeUnknown } from "../deletion/hetzner-leftovers.ts";
import { knownAtHetzner, presentCredentials } from "../deletion/protected.ts";
import { refreshes, requireDocker } from "../deletion/reachable.ts";
import { ensureStack, runOperation, type Operation, type RunResult } from "../engine/run.ts";
import { resourcesOf } from "../engine/state.ts";
import { aliveHint, holderText, type LockHolder, type RunContext } from "../engine/error-hints.ts";
import { availableTypes } from "../recover/hetzner.ts";
import type { InspectedUp, UpInspection } from "../drift/before-up.ts";
import type { UpCheck } from "../images/before-up.ts";
import { StackFile } from "../stack/config-file.ts";
import { readExpected } from "../drift/inspect.ts";
import { changedSomething } from "../smoke/scope.ts";
import { createScreen, type Screen } from "../stack/terminal.ts";
import { MOST_VERBOSE } from "../engine/redacted-log.ts";
import { previewStack } from "../engine/scratch-stack.ts";
import { requireSettings, stackInput, verifyNewKeys } from "../settings/check.ts";
import { openStack, recoverIfNeeded, requireChoice, type StackChoice } from "./open.ts";

interface OperationOptions extends StackChoice {
  readonly flags: readonly string[];
  /** Services that the run is for. @default all */
  readonly only?: readonly string[];
  readonly yes: boolean;
  /** The stack's name: losses that a run announces are wanted. */
  readonly allowDelete?: string;
  /** What a `destroy` leaves on a server that was there before. */
  readonly leave?: LeaveChoice;
  /** Writes the engine's verbose output to the log, without secrets. */
  readonly verbose?: boolean;
  /** Leaves out what asks providers about their keys. */
  readonly offline?: boolean;
  /** Leaves out the inspection of the server before an `up`. */
  readonly skipInspect?: boolean;
}

const LEAVES_DATA: LeaveChoice = { keep: false, withData: false };

/** `vpai up|preview|refresh|destroy`. */
export async function runStackOperation(verb: Operation, options: OperationOptions): Promise<void> {
  requireChoice(options);
  requireAllowed(options);
  requireLeave(options);
  if (options.only) (await import("./target.ts")).requireTarget(options.only, options.stack);
  const screen = createScreen();
  const report = (line: string): void => screen.line(line);
  // `refresh` and `destroy` must stay possible with settings that a newer program rejects.
  const runsProgram = verb === "up" || verb === "preview";
  const settings = runsProgram ? requireSettings(stackInput(options.stack), report) : undefined;
  const asks = options.stack !== SANDBOX && !options.yes && (verb === "up" || verb === "destroy");
  if (asks && !process.stdin.isTTY) {
    throw new OperatorError({
      key: `vpai ${verb} --stack ${options.stack}`,
      found: "stdin is not a terminal; cannot ask for confirmation",
      fix: `look at \`vpai preview --stack ${options.stack}\`, then add --yes`,
    });
  }
  const { context: opened, world } = await openStack(options, report);
  if (settings && !options.offline) await verifyNewKeys(settings, opened, world, report);
  if (verb === "preview") return preview(opened, options, screen);
  const context = opened;
  if (verb === "destroy") await requireUnprotected(context);
  await recoverIfNeeded(context, report);
  await ensureStack(context);
  const some = options.only && (await (await import("./target.ts")).planTarget(context, options.only));
  some?.notes.forEach(report);
  const flags = [...(some?.flags ?? []), ...options.flags];
  const succeeded = await beforeRun(verb, { context, world, report, only: some?.images });
  const run = {
    screen,
    flags,
    verbose: options.verbose === true,
    helpExplain: errorContext(context),
    allowDelete: options.allowDelete,
    asks,
  };
  const program = programFingerprint(context);
  const up = (more: readonly string[]): Promise<RunResult> =>
    runOperation("up", context, { ...run, flags: [...(run.verbose ? MOST_VERBOSE : []), ...more] });
  const server = verb === "up" ? await inspectServer({ context, report, up }, options, flags) : undefined;
  const result = await runVerb(verb, context, { ...run, leave: options.leave ?? LEAVES_DATA }, server);
  if (!result) return screen.line("nothing was changed");
  const { summary, log } = result;
  await server?.verify();
  await succeeded();
  screen.line(`full output: ${log}`);
  if (verb !== "up") return;
  if (settings?.checksDns) await (await import("./manual-records.ts")).reportManualRecords(context, report);
  const { smokeAfterRun } = await import("../smoke/command.ts");
  await smokeAfterRun({ ...options, summary, report });
  await (await import("../images/prune.ts")).pruneAfterRun({ ...options, summary, report });
  if (server === undefined || flags.length > 0) return;
  const expected = server.expected && !changedSomething(summary) ? server.expected : await readExpected(context);
  await (await import("../fast-path/remember.ts")).rememberConverged(context, expected, program);
}

/** Changes nothing: neither the stack's file nor its backend. */
async function preview(opened: StackContext, options: OperationOptions, screen: Screen): Promise<void> {
  const { context, flags, remove } = await previewStack(opened);
  try {
    const some = options.only && (await (await import("./target.ts")).planTarget(context, options.only));
    some?.notes.forEach((note) => screen.line(note));
    const run = {
      screen,
      flags: [...flags, ...(some?.flags ?? []), ...options.flags],
      verbose: options.verbose === true,
      helpExplain: errorContext(context),
    };
    if (refreshes(options.flags)) await requireDocker(context, await resourcesOf(context));
    const { log } = await guardedPreview(context, run);
    screen.line(`full output: ${log}`);
  } finally {
    await remove();
  }
}

/** Inspects the server unless the run is for a part of the stack only, or it is not wanted. */
async function inspectServer(
  run: UpInspection,
  { skipInspect, stack }: OperationOptions,
  flags: readonly string[],
): Promise<InspectedUp | undefined> {
  if (skipInspect) return undefined;
  if (flags.some((flag) => /^(--target|-t$|--exclude)/.test(flag))) {
    run.report(
      `the server is not inspected, as the run is for a part of the stack: \`vpai drift --stack ${stack}\` does it`,
    );
    return undefined;
  }
  return (await import("../drift/before-up.ts")).inspectBeforeUp(run);
}

/** Runs the verb with its safeguards; undefined when the operator declined. */
async function runVerb(
  verb: Operation,
  context: StackContext,
  { leave, ...run }: GuardedRun & { readonly leave: LeaveChoice },
  server: InspectedUp | undefined,
): Promise<RunResult | undefined> {
  if (verb === "up" && refreshes(run.flags)) await requireDocker(context, await resourcesOf(context));
  if (verb === "up") return guardedUp(context, run, server);
  if (verb === "destroy") return guardedDestroy(context, run, leave);
  const resources = await resourcesOf(context);
  await requireDocker(context, resources);
  const flags = [...(run.verbose ? MOST_VERBOSE : []), ...presentCredentials(resources), ...run.flags];
  return runOperation(verb, context, { screen: run.screen, flags, helpExplain: run.helpExplain });
}

/** `--allow-delete` has to name the very stack: a flag that is always given would guard nothing. */
function requireAllowed({ stack, allowDelete }: OperationOptions): void {
  if (allowDelete === undefined || allowDelete === stack) return;
  throw new OperatorError({
    key: "--allow-delete",
    found: allowDelete,
    allowed: stack,
    fix: `give the name of the stack: --allow-delete ${stack}`,
  });
}

function requireLeave({ stack, leave = LEAVES_DATA, allowDelete }: OperationOptions): void {
  if (!leave.keep && !leave.withData) return;
  const facts = { existing: isExisting(stack), allowDelete, canAsk: process.stdin.isTTY };
  const fault = leaveFault(stack, leave, facts);
  if (fault) throw new OperatorError(fault);
}

/** Checks before the engine runs; returns what to do after a successful run. */
async function beforeRun(verb: Operation, check: UpCheck): Promise<() => Promise<void>> {
  if (verb === "up") return (await import("../images/before-up.ts")).checkBeforeUp(check);
  if (verb === "destroy")
    return async () => (await import("../images/checked-cache.ts")).forgetChecked(check.context.workDir);
  return () => Promise.resolve();
}

/** Details for an explanation: what Hetzner offers instead of a type that is sold out. */
export function errorContext(context: StackContext): (output: string) => Promise<Partial<RunContext>> {
  const endpoint = context.env["HCLOUD_ENDPOINT"] ?? "https://api.hetzner.cloud/v1";
  return async (output) => {
    const token = context.env["HCLOUD_TOKEN"];
    if (token === undefined || !output.includes("resource_unavailable")) return { endpoint };
    // The explanation must not fail because this detail is missing.
    const available = await availableTypes({ endpoint, token }).catch(() => []);
    return { endpoint, available };
  };
}

/** `vpai recover`. */
export async function runRecover(options: StackChoice & { readonly force: boolean }): Promise<void> {
  const screen = createScreen();
  const report = (line: string): void => screen.line(line);
  const { context } = await openStack(options, report);
  const { hetznerAccess, needsRecovery, recover } = await import("../recover/recover.ts");
  const needed = await needsRecovery(context);
  await recover(context, report, (holder) => mayUnlock(context.stack, holder, options.force, report));
  const resources = await resourcesOf(context);
  const access = StackFile.read(context.stack).atHetzner ? await hetznerAccess(context, { deployment: {} }) : undefined;
  if (access) await removeUnknown(access, context.stack, knownAtHetzner(resources), report);
  screen.line(needed ? "resolved: `up` can run" : "no interrupted run found");
}

/** Whether the lock of a run on another host goes: with `--force`, or when the stack's name is typed. */
async function mayUnlock(
  stack: string,
  holder: LockHolder,
  force: boolean,
  report: (line: string) => void,
): Promise<boolean> {
  report(`stack ${stack} is locked by ${holderText(holder, Date.now())}`);
  report(`${aliveHint(holder)}; two runs at once would spoil the state`);
  if (force) return true;
  if (process.stdin.isTTY) return typed(`Remove the lock? Type "${stack}" to continue: `, stack);
  throw new OperatorError({
    key: `stack ${stack}`,
    found: `locked by ${holderText(holder, Date.now())}`,
    fix: `${aliveHint(holder)}. If it no longer runs: \`vpai recover --stack ${stack} --force\``,
  });
}

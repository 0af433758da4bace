import { createInterface } from "node:readline/promises";
import { OperatorError } from "../../shared/errors.ts";
import type { InspectedUp } from "../drift/before-up.ts";
import type { RunContext } from "../engine/error-hints.ts";
import { MOST_VERBOSE } from "../engine/redacted-log.ts";
import { runOperation, type RunResult } from "../engine/run.ts";
import { type OrderRun, withOrder } from "../order/server-order.ts";
import { StackFile } from "../stack/config-file.ts";
import type { StackContext } from "../stack/context.ts";
import { readCheckpoint } from "../stack/file-backend.ts";
import type { Screen } from "../stack/terminal.ts";
import {
  announce,
  emptyProgram,
  judge,
  type Judgement,
  type PlannedStep,
  type StackFacts,
  StepCollector,
  unconfirmed,
} from "./consequences.ts";
import { liftProtection } from "./hetzner-protection.ts";
import { deletedBy } from "./protected.ts";
import { planFingerprint, programFingerprint, rememberedFingerprint, rememberFingerprint } from "./plan-fingerprint.ts";

export interface GuardedRun {
  readonly screen: Screen;
  /** Flags for the engine, without those for its verbosity. */
  readonly flags: readonly string[];
  readonly verbose: boolean;
  readonly helpExplain: (output: string) => Promise<Partial<RunContext>>;
  /** The stack's name as the operator gave it with `--allow-delete`. */
  readonly allowDelete?: string | undefined;
  /** Shows every change first and asks, also when nothing is lost. */
  readonly asks?: boolean;
}

/** `preview`, with what an `up` would lose. */
export async function guardedPreview(context: StackContext, run: GuardedRun): Promise<RunResult> {
  const { judgement, result } = await previewed(context, run, run.screen);
  if (judgement.empty) throw new OperatorError(emptyProgram(context.stack));
  if (judgement.consequences.length > 0) {
    announce(judgement).forEach((line) => run.screen.line(line));
    run.screen.line(`\`vpai up\` stops before it and wants the stack's name typed, or --allow-delete ${context.stack}`);
  }
  return result;
}

/**
 * `up` that stops before the first deletion when something would be lost, until the operator has typed the stack's name.
 * A preview finds that out. It costs as much as a run without changes, so it is left out where program, settings and
 * state are those of the last successful `up`. Undefined when the operator declined.
 */
export async function guardedUp(
  context: StackContext,
  run: GuardedRun,
  server?: InspectedUp,
): Promise<RunResult | undefined> {
  const program = programFingerprint(context);
  if (run.asks === true || (await mayDelete(context, run.flags))) {
    const { judgement, steps } = await previewed(
      context,
      { ...run, flags: [...(server?.flags ?? []), ...run.flags] },
      run.asks === true ? run.screen : undefined,
    );
    if (judgement.empty) throw new OperatorError(emptyProgram(context.stack));
    if (!(await permitted(context, judgement, run))) return undefined;
    await liftProtection(context, deletedBy(steps));
  }
  const repairs = (await server?.repair()) ?? [];
  const collected = new StepCollector();
  const engine = (inContext: StackContext, flags: readonly string[]): Promise<RunResult> =>
    runOperation("up", inContext, {
      screen: run.screen,
      flags: [...repairs, ...flags, ...flagsOf(run)],
      helpExplain: run.helpExplain,
      onEvent: collected.add,
    });
  const result = isTargeted(run.flags) ? await engine(context, []) : await withOrder(orderOf(context, run), engine);
  if (!isTargeted(run.flags) && judge(collected.steps, await factsOf(context)).empty)
    throw new OperatorError(emptyProgram(context.stack));
  if (run.flags.length === 0) await rememberFingerprint(context, program);
  return result;
}

const orderOf = (context: StackContext, { screen, allowDelete }: GuardedRun): OrderRun => ({
  context,
  report: (line) => screen.line(line),
  mayMove: allowDelete === context.stack,
});

const flagsOf = ({ verbose, flags }: GuardedRun): string[] => [...(verbose ? MOST_VERBOSE : []), ...flags];

const isTargeted = (flags: readonly string[]): boolean => flags.some((flag) => /^(--target|-t|--exclude)\b/.test(flag));

/** Whether a run could delete anything: cheap, and rather yes than no. */
async function mayDelete(context: StackContext, flags: readonly string[]): Promise<boolean> {
  if (context.files && (await readCheckpoint(context.files)) === "absent") return false;
  if (flags.length > 0) return true;
  const now = planFingerprint(context);
  return now === undefined || now !== (await rememberedFingerprint(context.workDir));
}

async function previewed(
  context: StackContext,
  run: GuardedRun,
  visible: Screen | undefined,
): Promise<{ judgement: Judgement; steps: readonly PlannedStep[]; result: RunResult }> {
  const collected = new StepCollector();
  const lines: string[] = [];
  const screen = visible ?? { line: (text: string) => void lines.push(text), live: run.screen.live };
  const result = await runOperation("preview", context, {
    screen,
    flags: run.flags,
    helpExplain: run.helpExplain,
    onEvent: collected.add,
  }).catch((error: unknown) => {
    lines.forEach((line) => run.screen.line(line));
    throw error;
  });
  const judgement = judge(collected.steps, await factsOf(context));
  const empty = judgement.empty && !isTargeted(run.flags);
  return { judgement: { ...judgement, empty }, steps: collected.steps, result };
}

/** What the judgement of a run has to know of the stack. */
export async function factsOf({ stack }: StackContext): Promise<StackFacts> {
  const [{ catalogue }, { stackSecrets }] = await Promise.all([
    import("../../stacks/catalogue.ts"),
    import("../../components/service/plan/secrets.ts"),
  ]);
  const secrets = Object.entries(stackSecrets(catalogue));
  return {
    stack,
    disabled: StackFile.read(stack).disabledServices,
    permanent: Object.fromEntries(secrets.map(([name, { permanent }]) => [name, permanent])),
  };
}

/** Whether the run may go on; asks where there is a terminal. */
async function permitted(context: StackContext, judgement: Judgement, run: GuardedRun): Promise<boolean> {
  const { stack } = context;
  const loses = judgement.consequences.length > 0;
  if (loses && run.allowDelete === stack) {
    announce(judgement).forEach((line) => run.screen.line(line));
    return true;
  }
  if (loses && !process.stdin.isTTY) throw new OperatorError(unconfirmed(stack, judgement));
  if (loses) {
    announce(judgement).forEach((line) => run.screen.line(line));
    return typed(`Lose this? Type "${stack}" to continue: `, stack);
  }
  return run.asks === true ? typed('Apply these changes? Type "yes" to continue: ', "yes") : true;
}

/** Asks at the terminal for one exact word. */
export async function typed(question: string, wanted: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(question);
  terminal.close();
  return answer.trim() === wanted;
}

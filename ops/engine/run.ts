import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { OperatorError } from "../../shared/errors.ts";
import { SANDBOX, type StackContext } from "../stack/context.ts";
import { explain, type RunContext } from "./error-hints.ts";
import { throughVpai } from "./plain-engine.ts";
import { createProgress, type EngineEvent, type Progress, type Summary } from "./progress.ts";
import { readCheckpoint, readLocks, runFile, writeRun } from "../stack/file-backend.ts";
import { SignalCounter } from "./signals.ts";
import { followEvents } from "./event-log.ts";
import { isVerbose, openAnonymousLog, writeRedactedLog, secretsOfState } from "./redacted-log.ts";
import type { Screen } from "../stack/terminal.ts";
import { isOwnBackend } from "../settings/backend-url.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

export type Operation = "up" | "preview" | "refresh" | "destroy";

export interface RunOptions {
  readonly screen: Screen;
  /** More flags for the engine, as the operator typed them after `--`. */
  readonly flags?: readonly string[];
  /** Called with each event of the engine. */
  readonly onEvent?: (event: EngineEvent) => void;
  /** Looks up what an error may name; asked only after a failure. */
  readonly helpExplain?: (output: string) => Promise<Partial<RunContext>>;
}

export interface RunResult {
  readonly summary: Summary | undefined;
  /** Log of the engine's full output, relative to the clone. */
  readonly log: string;
}

const PARALLEL = "8";

/** The engine's arguments for one verb; the operator's own flags come last and so have the last word. */
export function engineArguments(
  verb: Operation,
  stack: string,
  eventLog: string,
  flags: readonly string[] = [],
): string[] {
  const changes = verb === "preview" ? [] : ["--yes", "--skip-preview"];
  const common = ["--stack", stack, "--non-interactive", "--color", "never", "--suppress-outputs"];
  // The program checks each value itself (stacks/settings/schema.ts): its errors name the value and the fix, the engine's do not.
  common.push("--skip-config-validation");
  return [verb, ...common, ...changes, "--parallel", PARALLEL, "--event-log", eventLog, ...flags];
}

/** Runs the engine for its answer, not for its progress; stdout as text. Fails with an OperatorError. */
export async function pulumiOutput(context: StackContext, args: readonly string[], input?: string): Promise<string> {
  const result = await execa("pulumi", args, {
    cwd: PROJECT_ROOT,
    env: { ...context.env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: true,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
  });
  if (result.exitCode === 0) return result.stdout;
  const output = `${result.stderr ?? ""}\n${result.stdout ?? ""}`;
  throw new EngineError(output, explain(output, { stack: context.stack, log: "the lines above" }));
}

/** An engine command that failed, with its output. */
export class EngineError extends OperatorError {
  readonly output: string;

  constructor(output: string, explained: OperatorError) {
    super(explained.faults);
    this.output = output;
  }
}

/** Whether the backend has the stack. */
export async function stackExists(context: StackContext): Promise<boolean> {
  if (context.files) return (await readCheckpoint(context.files)) !== "absent";
  const stacks = JSON.parse(await pulumiOutput(context, ["stack", "ls", "--json"])) as { name: string }[];
  return stacks.some(({ name }) => name.split("/").at(-1) === context.stack);
}

/** Makes the stack in its backend unless it is there. A stack file with a salt keeps it, and so its passphrase. */
export async function ensureStack(context: StackContext): Promise<void> {
  if (await stackExists(context)) return;
  const own = isOwnBackend(context.env["PULUMI_BACKEND_URL"] ?? "");
  const provider = own ? ["--secrets-provider", "passphrase"] : [];
  await pulumiOutput(context, ["stack", "init", context.stack, "--no-select", ...provider, "--non-interactive"]);
}

/** Runs one verb with its progress on the screen. */
export async function runOperation(verb: Operation, context: StackContext, options: RunOptions): Promise<RunResult> {
  const stamp = new Date().toISOString().replace(/[:.]/g, "-");
  const shortLog = join(context.relativeWorkDir, "logs", `${verb}-${stamp}.log`);
  const log = join(PROJECT_ROOT, shortLog);
  const events = join(context.workDir, `events-${stamp}.jsonl`);
  const verbose = isVerbose(options.flags ?? []);
  const secrets = verbose ? await secretsNow(context) : [];
  const output = verbose ? openAnonymousLog(`${log}.raw`) : openSync(log, "wx", 0o600);
  closeSync(openSync(events, "wx", 0o600));
  const progress = createProgress(Date.now(), verb);
  try {
    // Output goes to the file, not through this process: a killed `vpai` must not take the engine with it.
    const child = spawn("pulumi", engineArguments(verb, context.stack, events, options.flags), {
      cwd: PROJECT_ROOT,
      env: { ...context.env },
      detached: true,
      stdio: ["ignore", output, output],
    });
    const { code, signal, stopped } = await watched(child, verb, context, events, progress, options);
    await forgetCleanRun(context, code === 0);
    if (verbose) writeRedactedLog(output, log, [...secrets, ...(await secretsNow(context))]);
    else closeSync(output);
    if (code === 0) return { summary: progress.summary(), log: shortLog };
    const text = readFileSync(log, "utf8");
    if (signal !== null || stopped) throw cutShort(context, verb, stopped ? "as you asked" : `by ${signal}`, shortLog);
    const help = (await options.helpExplain?.(text)) ?? {};
    throw new EngineError(text, explain(text, { stack: context.stack, log: shortLog, ...help }));
  } finally {
    await rm(events, { force: true });
  }
}

/** What the stack's state calls secret, and what reaches the engine by its environment. */
async function secretsNow(context: StackContext): Promise<string[]> {
  const given = ["HCLOUD_TOKEN", "PULUMI_CONFIG_PASSPHRASE"].flatMap((name) => context.env[name] ?? []);
  const state = await pulumiOutput(context, ["stack", "export", "--show-secrets", "--stack", context.stack]);
  return [...given, ...secretsOfState(state)];
}

async function watched(
  child: ChildProcess,
  verb: Operation,
  context: StackContext,
  events: string,
  progress: Progress,
  { screen, onEvent }: RunOptions,
): Promise<{ code: number | null; signal: NodeJS.Signals | null; stopped: boolean }> {
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  if (child.pid === undefined) {
    await ended;
    throw new Error("the engine did not start");
  }
  const pid = child.pid;
  const record = {
    pid,
    pgid: pid,
    started: new Date().toISOString(),
    user: userInfo().username,
    host: hostname(),
    verb,
  };
  if (verb !== "preview") await writeRun(context.workDir, record);
  const interrupts = forwardInterrupts(pid, screen);
  const follower = followEvents(events, (event) => {
    onEvent?.(event);
    for (const line of progress.next(event, Date.now())) screen.line(throughVpai(line, context.stack));
  });
  const live = screen.live(() => progress.running(Date.now()));
  try {
    const [code, signal] = await ended;
    return { code, signal, stopped: interrupts.requested() };
  } finally {
    await follower.finish();
    live.stop();
    interrupts.release();
  }
}

/** The first Ctrl-C asks the engine to stop after the steps under way; the second ends it. */
function forwardInterrupts(pid: number, screen: Screen): { requested(): boolean; release(): void } {
  const counter = new SignalCounter();
  const onSignal = (): void => {
    const next = counter.next(performance.now());
    if (next === "nothing") return;
    screen.line(next === "stop" ? "finishing in-flight operations; press Ctrl-C again to abort" : "aborting");
    try {
      process.kill(pid, next === "stop" ? "SIGINT" : "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const release = (): void => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
  return { requested: () => counter.requested, release };
}

/** The run's record stays for recovery unless the run left nothing to recover. */
async function forgetCleanRun(context: StackContext, succeeded: boolean): Promise<void> {
  const clean =
    succeeded ||
    (context.files !== undefined &&
      (await readLocks(context.files)).length === 0 &&
      ["clean", "absent"].includes(await readCheckpoint(context.files)));
  if (clean) await rm(runFile(context.workDir), { force: true });
}

function cutShort(context: StackContext, verb: Operation, how: string, log: string): OperatorError {
  const again = context.stack === SANDBOX ? "the same command" : `\`vpai ${verb} --stack ${context.stack}\``;
  return new OperatorError({
    key: `stack ${context.stack}`,
    found: `the engine was stopped ${how} before it was done`,
    fix: `run ${again} again: it first resolves what was left half done (the output so far is in ${log})`,
  });
}

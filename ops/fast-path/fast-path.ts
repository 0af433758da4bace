import { setTimeout as pause } from "node:timers/promises";
import { planFingerprint } from "../deletion/plan-fingerprint.ts";
import type { Drift } from "../drift/drift.ts";
import { settingsSecrets } from "../settings/hetzner-token.ts";
import type { StackContext } from "../stack/context.ts";
import { readCheckpoint, readLocks, readRun } from "../stack/file-backend.ts";
import { decide, type Start, startsOf } from "./decide.ts";
import { type Converged, readConverged } from "./record.ts";
import { inspectRecorded, startContainers } from "./server.ts";

export interface FastRun {
  readonly context: StackContext;
  readonly report: (line: string) => void;
  /** Whether a container may be started, and a server powered on, without asking. */
  readonly mayRepair: boolean;
}

/** A run that did not need the engine. */
export interface FastResult {
  readonly converged: Converged;
  /** Services whose containers were started; all after the server was powered on. */
  readonly started: readonly string[];
}

/**
 * A run without the engine: program, settings and state are those of the last successful run, and the server is as it left
 * it, but for containers that are only stopped or a server that is only off. Undefined where anything else is the case, or
 * is unclear.
 */
export async function runFast(run: FastRun): Promise<FastResult | undefined> {
  const { context } = run;
  const converged = await readConverged(context.workDir);
  if (converged === undefined || !(await isUnchanged(context, converged))) return undefined;
  const drifts = await driftsOf(context, converged);
  if (drifts === undefined) return undefined;
  const decision = decide(drifts, converged.expected);
  if (decision.kind === "up to date") return { converged, started: [] };
  if (decision.kind === "engine" || !run.mayRepair) return undefined;
  const { driftTable, renderRepaired } = await import("../drift/table.ts");
  run.report(`the server differs from what the last run left:\n${driftTable(drifts)}`);
  const right = decision.kind === "start" ? await start(run, decision.containers) : await powerOn(run, converged);
  if (!right) return undefined;
  for (const line of renderRepaired(drifts)) run.report(line);
  const started = decision.kind === "start" ? decision.containers : startsOf(converged.expected);
  return { converged, started: started.map(({ service }) => service) };
}

/** Nothing runs, nothing was interrupted, and the fingerprint is that of the last successful run. */
async function isUnchanged(context: StackContext, { fingerprint }: Converged): Promise<boolean> {
  if (!context.files || (await readRun(context.workDir)) !== undefined) return false;
  if ((await readLocks(context.files)).length > 0 || (await readCheckpoint(context.files)) !== "clean") return false;
  return planFingerprint(context) === fingerprint;
}

/** Asks the server and its provider at once; undefined where either does not answer. */
async function driftsOf(context: StackContext, converged: Converged): Promise<readonly Drift[] | undefined> {
  const { expected, serverRecord } = converged;
  const answer = inspectRecorded(context, serverRecord);
  const [{ compare }, off] = await Promise.all([import("../drift/compare.ts"), statusOf(context, converged)]);
  if (off === "unknown") return undefined;
  if (off) return [off];
  const [actual, records] = await Promise.all([answer, recordsOf(context, converged)]);
  return actual && records && [...compare(expected, actual), ...records];
}

/** What differs in the zone; undefined where it cannot be read. */
async function recordsOf(context: StackContext, { expected }: Converged): Promise<readonly Drift[] | undefined> {
  if (expected.dns === undefined) return [];
  try {
    const [{ dnsDrifts }, secrets] = await Promise.all([import("../drift/dns.ts"), settingsSecrets(context.stack)]);
    return await dnsDrifts({ ...expected.dns, secrets }, context);
  } catch {
    // The run with the engine says what is wrong.
    return undefined;
  }
}

async function statusOf(context: StackContext, { expected }: Converged): Promise<Drift | "unknown" | undefined> {
  if (expected.server === undefined) return undefined;
  try {
    const { serverStatus } = await import("../drift/server-status.ts");
    return await serverStatus(expected, context);
  } catch {
    // The run with the engine says what is wrong.
    return "unknown";
  }
}

async function start({ context, report }: FastRun, containers: readonly Start[]): Promise<boolean> {
  const wrong = await startContainers(context, containers);
  for (const [service, why] of Object.entries(wrong ?? {})) report(`! ${service}: ${why}`);
  return wrong !== undefined && Object.keys(wrong).length === 0;
}

const BOOT_MS = 180_000;

/** Every container starts by itself after a boot, and the same inspection then finds the server as it was. */
async function powerOn(run: FastRun, converged: Converged): Promise<boolean> {
  const { context, report } = run;
  const { expected, serverRecord } = converged;
  if (expected.server === undefined) return false;
  report(`powering on server ${expected.server.name}`);
  await (await import("../drift/server-status.ts")).powerOn(expected.server, context);
  const deadline = Date.now() + BOOT_MS;
  for (;;) {
    const actual = await inspectRecorded(context, serverRecord);
    if (actual !== undefined && !("error" in actual.docker)) break;
    if (Date.now() > deadline) return false;
    await pause(500);
  }
  if (!(await start(run, startsOf(expected)))) return false;
  return (await driftsOf(context, converged))?.length === 0;
}

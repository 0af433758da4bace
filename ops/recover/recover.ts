import { hostname } from "node:os";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { OperatorError } from "../../shared/errors.ts";
import { type StackContext } from "../stack/context.ts";
import { pulumiOutput, EngineError } from "../engine/run.ts";
import { lockedFault, lockHolders, type LockHolder } from "../engine/error-hints.ts";
import type { HetznerAccess } from "../../components/vps/hetzner/api.ts";
import { findLabelled, removeAtHetzner } from "./hetzner.ts";
import { bootTime, terminateProcesses, isAlive, readProcess, sessionMembers } from "./processes.ts";
import {
  hetznerKinds,
  planRecovery,
  wantedOf,
  withoutPending,
  type ExportedState,
  type Found,
  type Wanted,
} from "./plan.ts";
import {
  readCheckpoint,
  readLocks,
  readRun,
  restoreBackup,
  runFile,
  removePartialFiles,
  type LockFile,
  type RunRecord,
} from "../stack/file-backend.ts";
import { batchSsh } from "../stack/server-ssh.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

type Report = (line: string) => void;

/** Whether an earlier run left something behind. A few file reads; with another backend, one answer of the engine. */
export async function needsRecovery(context: StackContext): Promise<boolean> {
  if ((await readRun(context.workDir)) !== undefined) return true;
  if (!context.files) {
    const state = JSON.parse(
      await pulumiOutput(context, ["stack", "export", "--stack", context.stack]),
    ) as ExportedState;
    return (state.deployment.pending_operations ?? []).length > 0;
  }
  const [locks, checkpoint] = await Promise.all([readLocks(context.files), readCheckpoint(context.files)]);
  return locks.length > 0 || checkpoint === "pending" || checkpoint === "broken";
}

/** Whether a lock of another host, of whose run nothing is known here, may go. */
export type MayUnlock = (holder: LockHolder) => Promise<boolean>;

/** Puts right what an interrupted run left: leftover processes, lock, checkpoint, half-made things. */
export async function recover(
  context: StackContext,
  report: Report,
  mayUnlock: MayUnlock = () => Promise.resolve(false),
): Promise<void> {
  const run = await readRun(context.workDir);
  await refuseLiveRun(context, run, mayUnlock);
  const since = await clearRun(context, run, report, mayUnlock);
  await mendCheckpoint(context, report);
  await resolvePending(context, since, report);
  await rm(runFile(context.workDir), { force: true });
}

/** Whether a recorded engine still runs: that very process, not another that got its number. */
function isSameProcess(pid: number, startedAt: Date): boolean {
  const facts = readProcess(pid);
  if (facts === undefined) return isAlive(pid);
  return facts.state !== "Z" && facts.started <= startedAt.getTime() + 5_000 && /pulumi/.test(facts.command);
}

const isHere = ({ host }: Pick<LockHolder, "host">): boolean => host === hostname();

/** Refuses where a holder's run is alive on this host, or may be on another. */
async function refuseHolders(
  stack: string,
  holders: readonly LockHolder[],
  mayUnlock: MayUnlock,
  local: (holder: LockHolder) => boolean = isHere,
): Promise<void> {
  for (const holder of holders) {
    const free = local(holder) ? !isSameProcess(holder.pid, new Date(holder.since)) : await mayUnlock(holder);
    if (!free) throw new OperatorError(lockedFault(stack, holder, Date.now()));
  }
}

async function refuseLiveRun(context: StackContext, run: RunRecord | undefined, mayUnlock: MayUnlock): Promise<void> {
  const locks = context.files ? await readLocks(context.files) : [];
  const recorded = run?.host === hostname() ? [{ ...run, since: run.started }] : [];
  await refuseHolders(context.stack, [...recorded, ...locks.flatMap(({ holder }) => holder ?? [])], mayUnlock);
}

/** Ends what is left of a dead run and clears its lock. Returns its start time. */
async function clearRun(
  context: StackContext,
  run: RunRecord | undefined,
  report: Report,
  mayUnlock: MayUnlock,
): Promise<Date | undefined> {
  const here = hostname();
  const locks = context.files ? await readLocks(context.files) : [];
  if (run !== undefined || locks.length > 0) report("an earlier run was interrupted: resolving what it left");
  if (run?.host === here && (bootTime() ?? 0) < Date.parse(run.started)) {
    const left = sessionMembers(run.pgid);
    if (left.length > 0) report(`ending ${left.length} processes of the interrupted run (${run.verb}, pid ${run.pid})`);
    await terminateProcesses(left);
  }
  if (locks.length > 0) await clearLocks(context, locks, report);
  if (!context.files) await clearRemoteLock(context, run, report, mayUnlock);
  const times = [run?.started, ...locks.map(({ holder }) => holder?.since)].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : new Date(Math.min(...times.map((time) => Date.parse(time))));
}

function clearingLine({ user, host, pid, since }: LockHolder): string {
  const why = host === hostname() ? "that process no longer exists" : "as you confirmed";
  return `clearing the lock of ${user}@${host} (pid ${pid}, since ${since}): ${why}`;
}

async function clearLocks(context: StackContext, locks: readonly LockFile[], report: Report): Promise<void> {
  const files = context.files;
  if (!files) return;
  for (const { holder } of locks) {
    report(holder ? clearingLine(holder) : "clearing a half-written lock");
  }
  for (const { file } of locks) {
    await rm(file, { force: true });
    await rm(`${file}.attrs`, { force: true });
  }
  const left = await readLocks(files);
  if (left.length > 0) throw new Error(`the lock is back: ${left.map(({ file }) => file).join(", ")}`);
}

/**
 * A lock in a backend that is not a folder of this machine is seen by asking for it: renaming the stack to its own name takes
 * the lock, and is then refused. Importing the state as it is would take it too, but put back what another run has
 * changed since it was exported.
 */
async function clearRemoteLock(
  context: StackContext,
  run: RunRecord | undefined,
  report: Report,
  mayUnlock: MayUnlock,
): Promise<void> {
  const refusal = await pulumiOutput(context, ["stack", "rename", context.stack, "--stack", context.stack]).then(
    () => "",
    (error: unknown) => {
      const output = error instanceof EngineError ? error.output : "";
      if (lockHolders(output).length > 0 || output.includes("already exists")) return output;
      throw error;
    },
  );
  const holders = lockHolders(refusal);
  // Another machine may have this one's name: of a backend that both use, only a lock of the run that is recorded here is
  // this machine's.
  await refuseHolders(
    context.stack,
    holders,
    mayUnlock,
    ({ host, pid }) => run?.host === host && run.pid === pid && isHere({ host }),
  );
  if (holders.length === 0) return;
  for (const holder of holders) report(clearingLine(holder));
  await pulumiOutput(context, ["cancel", "--yes", "--stack", context.stack]);
}

async function mendCheckpoint(context: StackContext, report: Report): Promise<void> {
  if (!context.files) return;
  await removePartialFiles(context.files);
  if ((await readCheckpoint(context.files)) !== "broken") return;
  if (!(await restoreBackup(context.files))) {
    throw new OperatorError({
      key: context.files.checkpoint,
      found: "unreadable, and so is the previous one",
      fix: "restore a good copy from the folder `backups` or `history` next to `stacks`",
    });
  }
  report("the last checkpoint was truncated: the previous one was restored");
}

async function resolvePending(context: StackContext, since: Date | undefined, report: Report): Promise<void> {
  if (context.files && (await readCheckpoint(context.files)) === "absent") return;
  const text = await pulumiOutput(context, ["stack", "export", "--stack", context.stack]);
  const state = JSON.parse(text) as ExportedState;
  const pending = state.deployment.pending_operations ?? [];
  const wanted = wantedOf(state);
  const access = await hetznerAccess(context, state);
  const docker = await findInDocker(context, wanted);
  const found = [...(access ? await findLabelled(access, context.stack) : []), ...docker.found];
  const plan = planRecovery(state, { found, dockerReachable: docker.reachable, ...(since ? { since } : {}) });
  if (plan.faults.length > 0) throw new OperatorError(plan.faults);
  for (const note of plan.notes) report(`! ${note}`);
  for (const thing of plan.remove) {
    report(`removing ${thing.kind} ${thing.name}: the interrupted run made it, the state does not know it`);
    if (access && hetznerKinds.includes(thing.kind)) await removeAtHetzner(access, thing);
    else await removeInDocker(context, thing);
  }
  if (pending.length === 0) return;
  for (const { resource, type } of pending)
    report(`interrupted while ${type}: ${resource.urn.split("::").at(-1) ?? ""}`);
  await pulumiOutput(context, ["stack", "import", "--stack", context.stack], JSON.stringify(withoutPending(state)));
  const after = JSON.parse(await pulumiOutput(context, ["stack", "export", "--stack", context.stack])) as ExportedState;
  const left = after.deployment.pending_operations ?? [];
  if (left.length > 0) throw new Error(`${left.length} interrupted operations are still in the state after its import`);
}

/** Where this stack's Hetzner is; undefined if the stack has nothing there. */
export async function hetznerAccess(context: StackContext, state: ExportedState): Promise<HetznerAccess | undefined> {
  const { resources = [], pending_operations: pending = [] } = state.deployment;
  const types = [...resources.map(({ type }) => type), ...pending.map(({ resource }) => resource.type)];
  const configured = await execa("pulumi", ["config", "get", "vpai:hetznerToken", "--stack", context.stack], {
    cwd: PROJECT_ROOT,
    env: { ...context.env },
    extendEnv: false,
    reject: false,
  });
  const token = configured.exitCode === 0 && configured.stdout !== "" ? configured.stdout : context.env["HCLOUD_TOKEN"];
  // A run cut off before its first checkpoint leaves no trace of what it would use: a token alone is reason to look.
  if (token === undefined && !types.some((type) => type.startsWith("hcloud:"))) return undefined;
  if (token === undefined) {
    throw new OperatorError({
      key: "Hetzner token",
      found: "neither `vpai:hetznerToken` nor HCLOUD_TOKEN is set",
      fix: "set one: what an interrupted run made at Hetzner is looked up with it",
    });
  }
  return { endpoint: context.env["HCLOUD_ENDPOINT"] ?? "https://api.hetzner.cloud/v1", token };
}

const ssh = (context: StackContext, command: readonly string[]) =>
  execa("ssh", [...batchSsh(join(context.relativeWorkDir, "ssh", "config"), 5), ...command], {
    cwd: PROJECT_ROOT,
    reject: false,
    stdin: "ignore",
    timeout: 20_000,
  });

/** Looks up containers and networks by name in the server's Docker, over the stack's own SSH configuration. */
async function findInDocker(
  context: StackContext,
  wanted: readonly Wanted[],
): Promise<{ reachable: boolean; found: Found[] }> {
  const things = wanted.filter(({ kind }) => !hetznerKinds.includes(kind));
  if (things.length === 0) return { reachable: true, found: [] };
  if ((await ssh(context, ["docker", "version", "--format", "ok"])).exitCode !== 0)
    return { reachable: false, found: [] };
  const found: Found[] = [];
  for (const { kind, name } of things) {
    const { exitCode, stdout } = await ssh(context, ["docker", kind, "inspect", "--format", "'{{.Id}}'", name]);
    if (exitCode === 0) found.push({ kind, name, id: stdout.trim(), ours: true });
  }
  return { reachable: true, found };
}

async function removeInDocker(context: StackContext, { kind, name }: Found): Promise<void> {
  const remove = kind === "container" ? ["docker", "rm", "--force", name] : ["docker", "network", "rm", name];
  const { exitCode, stderr } = await ssh(context, remove);
  const removed = (await ssh(context, ["docker", kind, "inspect", "--format", "'{{.Id}}'", name])).exitCode !== 0;
  if (!removed) throw new Error(`${kind} ${name} could not be removed (${exitCode ?? "no answer"}): ${stderr}`);
}

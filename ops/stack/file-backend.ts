import { existsSync } from "node:fs";
import { copyFile, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The engine's file backend, read directly: looking for a lock or for interrupted operations then costs a
 * millisecond instead of an engine start. Layout: pulumi/pulumi `pkg/backend/diy`.
 */
export interface StateFiles {
  readonly checkpoint: string;
  /** The checkpoint before the last one. */
  readonly backup: string;
  /** One file a lock. */
  readonly locks: string;
}

/** One lock file. `holder` is absent when the file is broken: its writer was killed while writing. */
export interface LockFile {
  readonly file: string;
  readonly holder?: { readonly pid: number; readonly user: string; readonly host: string; readonly since: string };
}

/** What a run leaves behind while it lasts: `.vpai/<x>/run.json`. */
export interface RunRecord {
  readonly pid: number;
  /** Process group and session: the engine is started as their leader. */
  readonly pgid: number;
  /** ISO time, UTC. */
  readonly started: string;
  readonly user: string;
  readonly host: string;
  readonly verb: string;
}

/** Where a `file://` backend keeps a stack; undefined for any other backend. */
export function stateFiles(backend: string | undefined, project: string, stack: string): StateFiles | undefined {
  if (backend === undefined || !backend.startsWith("file://")) return undefined;
  const path = backend.slice("file://".length).replace(/\?.*$/, "");
  const folder = path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
  const base = join(folder.startsWith("/") ? fileURLToPath(`file://${folder}`) : folder, ".pulumi");
  const checkpoint = join(base, "stacks", project, `${stack}.json`);
  return { checkpoint, backup: `${checkpoint}.bak`, locks: join(base, "locks", "organization", project, stack) };
}

const missingIs =
  <T>(value: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === "ENOENT") return value;
    throw error;
  };

/** Reads the text of a lock file. */
export function parseLock(text: string): LockFile["holder"] {
  try {
    const { pid, username, hostname, timestamp } = JSON.parse(text) as Record<string, unknown>;
    if (typeof pid !== "number" || typeof hostname !== "string") return undefined;
    return { pid, user: String(username), host: hostname, since: String(timestamp) };
  } catch {
    return undefined;
  }
}

export async function readLocks({ locks }: StateFiles): Promise<LockFile[]> {
  const names = await readdir(locks).catch(missingIs<string[]>([]));
  const found = names
    .filter((name) => !name.endsWith(".attrs"))
    .map(async (name): Promise<LockFile> => {
      const file = join(locks, name);
      const holder = parseLock(await readFile(file, "utf8").catch(missingIs("")));
      return holder ? { file, holder } : { file };
    });
  return Promise.all(found);
}

/** Whether a checkpoint's text is whole, and whether it names interrupted operations. */
export function judgeCheckpoint(text: string): "clean" | "pending" | "broken" {
  try {
    const { checkpoint } = JSON.parse(text) as { checkpoint?: { latest?: { pending_operations?: unknown[] } } };
    if (checkpoint === undefined) return "broken";
    return (checkpoint.latest?.pending_operations ?? []).length > 0 ? "pending" : "clean";
  } catch {
    return "broken";
  }
}

export type CheckpointState = "absent" | "elsewhere" | "clean" | "pending" | "broken";

/** The state of a stack's checkpoint. `elsewhere`: compressed, so only the engine reads it. */
export async function readCheckpoint({ checkpoint, backup }: StateFiles): Promise<CheckpointState> {
  const text = await readFile(checkpoint, "utf8").catch(missingIs<string | undefined>(undefined));
  if (text !== undefined) return judgeCheckpoint(text);
  if (["gz", "zst", "zstd"].some((end) => existsSync(`${checkpoint}.${end}`))) return "elsewhere";
  return existsSync(backup) ? "broken" : "absent";
}

/**
 * Replaces a broken checkpoint by the previous one and keeps the broken one next to it. What the last step made is then
 * unknown to the state; the look-up by name and label finds it.
 */
export async function restoreBackup({ checkpoint, backup }: StateFiles): Promise<boolean> {
  const text = await readFile(backup, "utf8").catch(missingIs(""));
  if (judgeCheckpoint(text) === "broken") return false;
  if (existsSync(checkpoint)) await copyFile(checkpoint, `${checkpoint}.broken`);
  await writeFile(`${checkpoint}.new`, text, { mode: 0o600 });
  await rename(`${checkpoint}.new`, checkpoint);
  return judgeCheckpoint(await readFile(checkpoint, "utf8")) !== "broken";
}

/**
 * Removes the half-written files that a killed engine leaves next to checkpoint and lock. A file's attributes are in a
 * file of their own: the engine works without it, but fails on a truncated one with `failed to load checkpoint: EOF`.
 */
export async function removePartialFiles({ checkpoint, locks }: StateFiles): Promise<void> {
  // Other stacks have their checkpoints in the same folder, and a run of theirs may be writing one.
  const own = basename(checkpoint);
  for (const [folder, prefix] of [
    [dirname(checkpoint), own],
    [locks, ""],
  ] as const) {
    const names = (await readdir(folder).catch(missingIs<string[]>([]))).filter((name) => name.startsWith(prefix));
    for (const file of names.map((name) => join(folder, name))) {
      const half = file.endsWith(".tmp") || (file.endsWith(".attrs") && !isJson(await readFile(file, "utf8")));
      if (half) await rm(file, { force: true });
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export const runFile = (work: string): string => join(work, "run.json");

export async function readRun(work: string): Promise<RunRecord | undefined> {
  const text = await readFile(runFile(work), "utf8").catch(missingIs<string | undefined>(undefined));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as RunRecord;
  } catch {
    return undefined;
  }
}

export async function writeRun(work: string, record: RunRecord): Promise<void> {
  await writeFile(`${runFile(work)}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(`${runFile(work)}.new`, runFile(work));
}

import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instance } from "./instance.ts";

const pidFile = (instance: Instance): string => join(instance.dir, "supervisor.pid");

/** Makes this process the instance's supervisor; false when another one is alive. */
export async function claimPidFile(instance: Instance): Promise<boolean> {
  await mkdir(instance.dir, { recursive: true, mode: 0o700 });
  const file = pidFile(instance);
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${process.pid} ${await startTime(process.pid)}\n`, { mode: 0o600 });
  try {
    while (!(await tryLink(draft, file))) {
      if ((await livePid(instance)) !== undefined) return false;
      await rm(file, { force: true });
    }
    return true;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Unlike creating and then writing, a link is never seen empty. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

export async function releasePidFile(instance: Instance): Promise<void> {
  await rm(pidFile(instance), { force: true });
}

/** The supervisor's process id, if that very process still lives: a pid alone may have been given anew. */
export async function livePid(instance: Instance): Promise<number | undefined> {
  const text = await readFile(pidFile(instance), "utf8").catch(() => "");
  const match = /^(\d+) (\d+)\n$/.exec(text);
  if (match === null) return undefined;
  const pid = Number(match[1]);
  return (await startTime(pid)) === match[2] ? pid : undefined;
}

/** Field 22 of /proc/<pid>/stat: when the process began, in ticks since boot. Undefined for none, or a zombie. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" ? undefined : fields[19];
}

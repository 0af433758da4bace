import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** What /proc says of one process. */
export interface ProcessFacts {
  readonly pid: number;
  readonly command: string;
  /** `Z` is a zombie: ended, but not yet collected by its parent. */
  readonly state: string;
  readonly session: number;
  /** Milliseconds since the epoch, to about 10 ms. */
  readonly started: number;
}

const TICKS_PER_SECOND = 100;

/** Parses `/proc/<pid>/stat`; the command stands in parentheses and may itself hold spaces and parentheses. */
export function parseStat(text: string, bootedAt: number): ProcessFacts | undefined {
  const match = /^(\d+) \((.*)\) (.*)$/s.exec(text.trim());
  if (!match) return undefined;
  const fields = (match[3] ?? "").split(" ");
  return {
    pid: Number(match[1]),
    command: match[2] ?? "",
    state: fields[0] ?? "?",
    session: Number(fields[3]),
    started: bootedAt + (Number(fields[19]) / TICKS_PER_SECOND) * 1000,
  };
}

/** When this machine booted, in milliseconds since the epoch; undefined where there is no /proc. */
export function bootTime(): number | undefined {
  try {
    const match = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"));
    return match ? Number(match[1]) * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/** One process of this machine; undefined when there is none of that id. */
export function readProcess(pid: number): ProcessFacts | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"), bootTime() ?? 0);
  } catch {
    return undefined;
  }
}

/** Whether `pid` is a process that still runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  const facts = readProcess(pid);
  if (facts) return facts.state !== "Z";
  if (bootTime() !== undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Members of session `session` that still run, the leader apart. The engine gives each plugin a process group of
 * its own, so the session is what holds a run together.
 */
export function sessionMembers(session: number): ProcessFacts[] {
  const pids = bootTime() === undefined ? [] : readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    const facts = readProcess(Number(name));
    return facts && facts.session === session && facts.pid !== session && facts.state !== "Z" ? [facts] : [];
  });
}

/** Terminates processes by id: SIGTERM, then SIGKILL. Returns once none of them runs. */
export async function terminateProcesses(list: readonly ProcessFacts[], graceMs = 2000): Promise<void> {
  const stillThere = (): ProcessFacts[] =>
    list.filter(({ pid, started }) => {
      const now = readProcess(pid);
      return now !== undefined && now.state !== "Z" && Math.abs(now.started - started) < 1000;
    });
  const signal = (name: NodeJS.Signals): void => {
    for (const { pid } of stillThere()) {
      try {
        process.kill(pid, name);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  };
  const waited = async (ms: number): Promise<boolean> => {
    const deadline = Date.now() + ms;
    while (stillThere().length > 0 && Date.now() < deadline) await pause(20);
    return stillThere().length === 0;
  };
  signal("SIGTERM");
  if (await waited(graceMs)) return;
  signal("SIGKILL");
  if (await waited(graceMs)) return;
  const left = stillThere().map(({ pid, command }) => `${command} (pid ${pid})`);
  throw new Error(`processes of the interrupted run do not end: ${left.join(", ")}`);
}

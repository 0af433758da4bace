import { join } from "node:path";
import { OperatorError, type Fault } from "../../shared/errors.ts";
import { cacheDir } from "../../toolchain/cache.ts";
import {
  checkDisk,
  checkMemory,
  DISK_COLD_BYTES,
  DISK_WARM_BYTES,
  freeDisk,
  memory,
  MEMORY_BYTES,
} from "../../toolchain/checks.ts";
import { existsSync } from "node:fs";
import { PROJECT_ROOT } from "../../shared/paths.ts";

const GB = 1e9;

/** What a sandbox run needs of this machine, in bytes. `VPAI_NEEDED_DISK_GB` and `VPAI_NEEDED_MEMORY_GB` say otherwise. */
export function needed(env: NodeJS.ProcessEnv, warm: boolean): { readonly disk: number; readonly memory: number } {
  const read = (key: string, fallback: number): number => {
    const text = env[key];
    if (text === undefined || text === "") return fallback;
    const value = Number(text);
    if (Number.isFinite(value) && value >= 0) return value * GB;
    throw new OperatorError({
      key,
      found: text,
      allowed: "a number of gigabytes, such as 8",
      fix: "correct or unset it",
    });
  };
  return {
    disk: read("VPAI_NEEDED_DISK_GB", warm ? DISK_WARM_BYTES : DISK_COLD_BYTES),
    memory: read("VPAI_NEEDED_MEMORY_GB", MEMORY_BYTES),
  };
}

/** Whether this machine is too small for a sandbox; every fault at once. */
export function machineFaults(env: NodeJS.ProcessEnv = process.env): Fault[] {
  const cache = cacheDir(env);
  const warm = existsSync(join(cache, "images")) || existsSync(join(cache, "go"));
  const need = needed(env, warm);
  return [
    ...checkDisk(cache, freeDisk(cache), need.disk),
    ...checkDisk(PROJECT_ROOT, freeDisk(PROJECT_ROOT), Math.min(need.disk, DISK_WARM_BYTES)),
    ...checkMemory(memory(), need.memory),
  ];
}

/** Refuses a machine that is too small, before anything is made on it. */
export function requireMachine(env: NodeJS.ProcessEnv = process.env): void {
  const faults = machineFaults(env);
  if (faults.length > 0) throw new OperatorError(faults);
}

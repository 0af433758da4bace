import { statfsSync } from "node:fs";
import { totalmem } from "node:os";
import { dirname } from "node:path";
import type { Fault } from "../shared/errors.ts";

const GB = 1e9;

/** For modules, compiled packages, images and the VPS's own disk, with nothing there yet. */
export const DISK_COLD_BYTES = 16 * GB;
/** For what one more sandbox writes when everything has been built. */
export const DISK_WARM_BYTES = 3 * GB;
/** The engine, its plugins, the simulators and a VPS with four services; a machine sold as 4 GB shows a little less. */
export const MEMORY_BYTES = 3.6 * GB;

/** @param found – free bytes of the file system that holds `path` */
export function checkDisk(path: string, found: number, needed: number): Fault[] {
  if (found >= needed) return [];
  return [
    {
      key: `disk at ${path}`,
      found: `${gigabytes(found)} GB free`,
      allowed: `${gigabytes(needed)} GB or more`,
      fix: "free some space, or set VPAI_CACHE to a directory on a larger disk",
    },
  ];
}

/** @param found – bytes of memory of this machine */
export function checkMemory(found: number, needed: number = MEMORY_BYTES): Fault[] {
  if (found >= needed) return [];
  return [
    {
      key: "memory",
      found: `${gigabytes(found)} GB`,
      allowed: `${gigabytes(needed)} GB or more`,
      fix: "use a machine with more memory; a stack on a server of yours (`vpai up --stack prod`) needs less here",
    },
  ];
}

/** Less than this is a full disk: no program gets far with it. */
const FULL_BYTES = 16e6;

/** The fault behind an error, where that is a disk without room: programs say so in many ways, or not at all. */
export function fullDisk(error: unknown, paths: readonly string[], free = freeDisk): Fault | undefined {
  const { code, message = "" } = error as Partial<NodeJS.ErrnoException>;
  const [least] = paths.map((path) => ({ path, bytes: free(path) })).toSorted((a, b) => a.bytes - b.bytes);
  const reported = code === "ENOSPC" || /no space left on device|disk quota exceeded/i.test(message);
  if (least === undefined || (!reported && least.bytes >= FULL_BYTES)) return undefined;
  return {
    key: `disk at ${least.path}`,
    found: `full: ${(least.bytes / 1e6).toFixed(1)} MB free`,
    fix: "free some space, or set VPAI_CACHE to a directory on a larger disk; what was not finished is made again",
  };
}

function gigabytes(bytes: number): string {
  return (bytes / GB).toFixed(1);
}

/** Bytes that this user may still write where `path` is, or will be. */
export function freeDisk(path: string): number {
  for (let at = path; ; at = dirname(at)) {
    try {
      const found = statfsSync(at);
      return found.bavail * found.bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || at === dirname(at)) throw error;
    }
  }
}

/** Bytes of memory of this machine. */
export function memory(): number {
  return totalmem();
}

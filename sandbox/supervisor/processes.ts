import { readFile, readdir } from "node:fs/promises";
import type { Instance } from "./instance.ts";

/** Set to the instance's label in the environment of its supervisor, and so of all that it starts. */
export const OWNER = "VPAI_SANDBOX_OWNER";

export interface OwnedProcess {
  readonly pid: number;
  readonly command: string;
}

/** The supervisor and its children, also those that outlived it. */
export async function processesOf(instance: Instance): Promise<readonly OwnedProcess[]> {
  const mark = `${OWNER}=${instance.label}`;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process may end, or be another user's, while we look.
      const environ = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      if (!environ.split("\0").includes(mark)) return [];
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return [{ pid: Number(pid), command: command.replaceAll("\0", " ").trim() }];
    }),
  );
  return found.flat();
}

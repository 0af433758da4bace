import { readFile } from "node:fs/promises";
import { run } from "../../shared/exec.ts";

/**
 * Mount points below a folder, the innermost first.
 *
 * @param mountinfo the text of /proc/self/mountinfo (proc_pid_mountinfo(5)): the fifth field is the mount point
 */
export function mountsBelow(mountinfo: string, folder: string): string[] {
  return mountinfo
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, code: string) => octal(code)))
    .filter((path) => path.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length);
}

/** A blank and the like are written as `\040`. */
const octal = (code: string): string => String.fromCharCode(Number.parseInt(code, 8));

/** A build of an image that was killed leaves /proc, /sys and others mounted in its folder: with them it cannot be removed. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const path of mountsBelow(await readFile("/proc/self/mountinfo", "utf8"), folder)) await run("umount", [path]);
}

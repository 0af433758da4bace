import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../shared/exec.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** Files of the clone, relative to it, that git knows or would know; `ends` filters by the end of the name. */
export async function projectFiles(...ends: readonly string[]): Promise<string[]> {
  const { stdout } = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"], {
    cwd: PROJECT_ROOT,
  });
  // git also lists files that are deleted and not committed yet.
  return stdout
    .split("\n")
    .filter((file) => existsSync(join(PROJECT_ROOT, file)))
    .filter((file) => ends.length === 0 || ends.some((end) => file.endsWith(end)));
}

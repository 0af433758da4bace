import { execa } from "execa";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** Files of the clone, relative to it, that git knows or would know; `ends` filters by the end of the name. */
export async function projectFiles(...ends: readonly string[]): Promise<string[]> {
  const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"], {
    cwd: PROJECT_ROOT,
  });
  return stdout.split("\n").filter((file) => ends.length === 0 || ends.some((end) => file.endsWith(end)));
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { call } from "../control/control-client.ts";
import type { ImageSource } from "../image-sources.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { codeHash } from "./code-hash.ts";
import type { WorldFile } from "./instance.ts";
import { worldEnv } from "./world-env.ts";

export interface RunningWorld {
  readonly env: Record<string, string>;
  /** Where its images have come from; undefined before it has had any. */
  readonly images: ImageSource | undefined;
}

/**
 * A sandbox whose supervisor answers and runs this code; undefined where anything is otherwise, and
 * `openWorld` has to see to it. Loads nothing: it is for a run that takes a second in all.
 */
export async function findRunningWorld(name: string, clone = PROJECT_ROOT): Promise<RunningWorld | undefined> {
  const relativeDir = join(".vpai", name);
  const dir = join(clone, relativeDir);
  try {
    const file = JSON.parse(await readFile(join(dir, "world.json"), "utf8")) as WorldFile;
    const [{ code }, own] = await Promise.all([
      call<{ code: string }>(file, "GET", "/health", undefined, 2_000),
      codeHash(),
    ]);
    return code === own ? { env: worldEnv({ dir, relativeDir }, file), images: file.images } : undefined;
  } catch {
    return undefined;
  }
}

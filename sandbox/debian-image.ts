import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { run } from "../shared/exec.ts";
import { withLock } from "../toolchain/lock.ts";

/** A Docker image that a script makes of Debian's packages. */
export interface DebianImage {
  /** `vpai-sandbox/<name>` is its repository. */
  readonly name: string;
  /** Holds the script, `build-image.sh`, and what it copies into the image, `files/`. */
  readonly folder: string;
  /** What the script gets after the tag. @default nothing */
  readonly args?: readonly string[];
  /** The text of what `args` names. @default none */
  readonly input?: string;
  /** Reported before it is built. */
  readonly what: string;
}

/** The tag of the image: another one as soon as anything changes that it is made of. */
export async function imageTag({ name, folder, input = "" }: DebianImage): Promise<string> {
  const hash = createHash("sha256")
    .update(input)
    .update(await readFile(recipeOf(folder)));
  const root = join(folder, "files");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(file.slice(root.length)).update(await readFile(file));
  return `vpai-sandbox/${name}:${hash.digest("hex").slice(0, 12)}`;
}

/** True when this machine has the image. */
export async function hasImage(docker: Docker, tag: string): Promise<boolean> {
  try {
    await docker.getImage(tag).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

/** The image, built if this machine has it not, and read back; returns its tag. */
export async function ensureDebianImage(
  docker: Docker,
  image: DebianImage,
  report: (line: string) => void,
): Promise<string> {
  const tag = await imageTag(image);
  if (await hasImage(docker, tag)) return tag;
  return withLock(`vpai sandbox image ${image.name}`, async () => {
    if (await hasImage(docker, tag)) return tag;
    report(`building the image of ${image.what}: ${tag}`);
    const recipe = recipeOf(image.folder);
    // Its temporary folder must be open to apt's own user, and the supervisor's is not.
    await run("env", ["-u", "TMPDIR", "bash", recipe, tag, ...(image.args ?? [])]);
    if (!(await hasImage(docker, tag))) throw new Error(`${recipe} ended well, but there is no image ${tag}`);
    return tag;
  });
}

const recipeOf = (folder: string): string => join(folder, "build-image.sh");

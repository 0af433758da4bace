import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { run } from "../../shared/exec.ts";
import { withLock } from "../../toolchain/lock.ts";

const RECIPE = join(import.meta.dirname, "build-image.sh");
const FILES = join(import.meta.dirname, "files");

/** What an image is made from. */
export interface VpsImageInputs {
  readonly certFile: string;
  readonly certPem: string;
}

/** The tag of the image that the recipe makes with this CA: another one as soon as either changes. */
export async function vpsImageTag(certPem: string): Promise<string> {
  const hash = createHash("sha256")
    .update(certPem)
    .update(await readFile(RECIPE));
  const entries = await readdir(FILES, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(file.slice(FILES.length)).update(await readFile(file));
  return `vpai-sandbox/debian-12:${hash.digest("hex").slice(0, 12)}`;
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

/** Builds the image (about a minute) and reads back that it is there. */
export async function buildVpsImage(docker: Docker, tag: string, ca: VpsImageInputs): Promise<void> {
  // Its temporary folder must be open to apt's own user, and the supervisor's is not.
  await run("env", ["-u", "TMPDIR", "bash", RECIPE, tag, ca.certFile]);
  if (!(await hasImage(docker, tag))) throw new Error(`${RECIPE} ended well, but there is no image ${tag}`);
}

/** The image of a fresh server, built if this machine has it not; returns its tag. */
export async function ensureVpsImage(
  docker: Docker,
  ca: VpsImageInputs,
  report: (line: string) => void,
): Promise<string> {
  const tag = await vpsImageTag(ca.certPem);
  if (await hasImage(docker, tag)) return tag;
  return withLock("vpai sandbox image of a server", async () => {
    if (await hasImage(docker, tag)) return tag;
    report(`building the image of a fresh Debian server (about a minute): ${tag}`);
    await buildVpsImage(docker, tag, ca);
    return tag;
  });
}

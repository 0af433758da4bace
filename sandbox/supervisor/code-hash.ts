import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/** A hash of the sandbox's own TypeScript: a supervisor that runs other code than the clone holds is started anew. */
export async function codeHash(): Promise<string> {
  const root = join(import.meta.dirname, "..");
  const files = (await readdir(root, { recursive: true })).filter((file) => /\.(ts|json)$/.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(root, file))));
  const hash = createHash("sha256");
  texts.forEach((text, index) => hash.update(`${files[index]}\n`).update(text));
  return hash.digest("hex").slice(0, 16);
}

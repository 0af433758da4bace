import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { cacheEntry, contentKey } from "../../toolchain/cache.ts";

/** A layer of an image: an uncompressed tar in the cache, so that its digest is its diff id too. */
export interface Layer {
  readonly file: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** Told a line when something takes long. */
export type Report = (line: string) => void;

/** What this process is making: images made side by side want the same layers. */
const underWay = new Map<string, Promise<Layer>>();

/** The layer called `name` and made of `inputs` (anything JSON can say); produced when the cache has none of these. */
export function ensureLayer(
  name: string,
  inputs: unknown,
  report: Report,
  produce: () => Promise<Buffer>,
): Promise<Layer> {
  return ensureLayerFile(name, inputs, report, async (file) => writeFile(file, await produce()));
}

/**
 * The same for a layer too large for memory: `produce` writes the archive to `file`. It may use the rest of that
 * file's folder for its work, which it empties: the folder is deleted when the work fails, or is found half done.
 */
export function ensureLayerFile(
  name: string,
  inputs: unknown,
  report: Report,
  produce: (file: string) => Promise<void>,
): Promise<Layer> {
  const key = `${name}-${contentKey(JSON.stringify(inputs), process.arch)}`;
  const making = underWay.get(key) ?? cachedLayer(name, key, report, produce).finally(() => underWay.delete(key));
  underWay.set(key, making);
  return making;
}

async function cachedLayer(
  name: string,
  key: string,
  report: Report,
  produce: (file: string) => Promise<void>,
): Promise<Layer> {
  const entry = await cacheEntry(
    "layers",
    key,
    async (directory) => {
      report(`making layer ${name}`);
      const file = join(directory, "layer.tar");
      await produce(file);
      const hash = createHash("sha256");
      await pipeline(createReadStream(file), hash);
      const digest = `sha256:${hash.digest("hex")}`;
      await writeFile(join(directory, "layer.json"), JSON.stringify({ digest, size: (await stat(file)).size }));
    },
    (owner) => report(`layer ${name}: waiting for ${owner}, which makes it`),
    async (path) => (await layerIn(path)) !== undefined,
  );
  const layer = await layerIn(entry.path);
  if (layer === undefined) throw new Error(`${entry.path} holds no layer, though it has just been made`);
  return layer;
}

/** The layer in a directory of the cache; undefined when it is not whole, or of a version that described it otherwise. */
async function layerIn(directory: string): Promise<Layer | undefined> {
  const file = join(directory, "layer.tar");
  try {
    const described: unknown = JSON.parse(await readFile(join(directory, "layer.json"), "utf8"));
    const { digest, size } = (described ?? {}) as Partial<Layer>;
    const whole = typeof digest === "string" && (await stat(file)).size === size;
    return whole ? { file, digest, size } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

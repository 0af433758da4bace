import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheEntry, contentKey } from "../../toolchain/cache.ts";
import { sha256 } from "../registry/push.ts";

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
  const key = `${name}-${contentKey(JSON.stringify(inputs), process.arch)}`;
  const making = underWay.get(key) ?? cachedLayer(name, key, report, produce).finally(() => underWay.delete(key));
  underWay.set(key, making);
  return making;
}

async function cachedLayer(name: string, key: string, report: Report, produce: () => Promise<Buffer>): Promise<Layer> {
  const entry = await cacheEntry(
    "layers",
    key,
    async (directory) => {
      report(`making layer ${name}`);
      const tar = await produce();
      await writeFile(join(directory, "layer.tar"), tar);
      await writeFile(join(directory, "layer.json"), JSON.stringify({ digest: sha256(tar), size: tar.length }));
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

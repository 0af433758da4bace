import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ImageRef } from "../../shared/image-ref.ts";
import { jsonIn } from "../../shared/registry/response.ts";
import type { BlobStore, Descriptor } from "../registry/blob-store.ts";
import type { PullThroughCaches } from "../registry/pull-through.ts";
import type { ImageContent } from "./manifest.ts";

/** What is known of an image that was whole: its files, and when they were written. */
interface Remembered {
  readonly manifests: readonly (Descriptor & { readonly at: number })[];
  readonly blobs: readonly (Descriptor & { readonly at: number })[];
}

const recordOf = ({ host, path, digest }: ImageRef, caches: PullThroughCaches): string =>
  join(caches.options.directory, "whole", host, path, `${digest.replace(":", "-")}-${process.arch}.json`);

/** Whether an image was found whole before, and none of its files has changed since. */
export async function isComplete(image: ImageRef, caches: PullThroughCaches): Promise<boolean> {
  const text = await readFile(recordOf(image, caches), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const known = remembered(text);
  if (known === undefined) return false;
  const store = caches.store(image.host);
  for (const kind of ["manifest", "blob"] as const) {
    for (const file of known[`${kind}s`]) {
      if (!(await store.has(image.path, file, kind)) || (await store.written(file)) !== file.at) return false;
    }
  }
  return true;
}

/** Undefined when it is of another version, or cut short: then all is looked at again. */
function remembered(text: string): Remembered | undefined {
  const { manifests, blobs } = (jsonIn(text) ?? {}) as Partial<Remembered>;
  const fits = [manifests, blobs].every((list) => Array.isArray(list) && list.length > 0);
  return fits ? ({ manifests, blobs } as Remembered) : undefined;
}

/** Notes that an image is whole. */
export async function remember(image: ImageRef, content: ImageContent, caches: PullThroughCaches): Promise<void> {
  const store = caches.store(image.host);
  const dated = (files: readonly Descriptor[]) =>
    Promise.all(files.map(async (file) => ({ ...file, at: await writtenAt(store, file) })));
  const record: Remembered = { manifests: await dated(content.manifests), blobs: await dated(content.blobs) };
  const file = recordOf(image, caches);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, JSON.stringify(record));
  await rename(`${file}.${process.pid}`, file);
}

async function writtenAt(store: BlobStore, file: Descriptor): Promise<number> {
  const at = await store.written(file);
  if (at === undefined) throw new Error(`the cache does not have ${file.digest}, which it has just served`);
  return at;
}

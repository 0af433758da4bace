import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { withLock } from "./lock.ts";

/** Where everything lies that is dear to make and the same for all clones: $VPAI_CACHE, else the user's cache directory. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.VPAI_CACHE) return resolve(env.VPAI_CACHE);
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "vpai");
}

/** A name for a content: the same parts give the same key. 16 hex digits. */
export function contentKey(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    // The length keeps ("ab", "c") apart from ("a", "bc").
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The files below a folder, sorted by path; of a file, itself. */
export async function filesOf(path: string): Promise<string[]> {
  if ((await stat(path)).isFile()) return [path];
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

/** Where an entry is, or would be. */
export function cachePath(kind: string, key: string): string {
  return join(cacheDir(), kind, key);
}

export interface CacheEntry {
  readonly path: string;
  /** Whether this call has made it. */
  readonly fresh: boolean;
}

/**
 * A directory of the cache, made by `build` if it is not there yet.
 *
 * It appears whole or not at all: `build` fills a temporary directory, which is then renamed. Of several processes
 * that want the same entry one builds and the others wait; `waiting` reports it.
 *
 * @param intact checks an existing entry: one that a power cut damaged, or that another version built differently, is
 * built again. @default every entry is intact
 */
export async function cacheEntry(
  kind: string,
  key: string,
  build: (directory: string) => Promise<void>,
  waiting?: (owner: string) => void,
  intact: (path: string) => Promise<boolean> = () => Promise.resolve(true),
): Promise<CacheEntry> {
  const path = cachePath(kind, key);
  const usable = async (): Promise<boolean> => existsSync(path) && (await intact(path));
  if (await usable()) return { path, fresh: false };
  return withLock(
    path,
    async () => {
      if (await usable()) return { path, fresh: false };
      await removeLeftovers(path);
      const making = `${path}.making-${process.pid}-${randomBytes(4).toString("hex")}`;
      await mkdir(making, { recursive: true });
      try {
        await build(making);
        await rm(path, { recursive: true, force: true });
        await rename(making, path);
      } finally {
        await rm(making, { recursive: true, force: true });
      }
      return { path, fresh: true };
    },
    waiting,
  );
}

/** Leftovers of a killed builder: this process holds the lock, so no other builds there. */
async function removeLeftovers(path: string): Promise<void> {
  const parent = dirname(path);
  if (!existsSync(parent)) return;
  const prefix = `${path}.making-`;
  for (const name of await readdir(parent)) {
    const found = join(parent, name);
    if (found.startsWith(prefix)) await rm(found, { recursive: true, force: true });
  }
}

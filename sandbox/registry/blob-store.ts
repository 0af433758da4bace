import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Something that a registry keeps by its digest. */
export interface Descriptor {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** A layer or a configuration, or what lists them. */
export type Kind = "blob" | "manifest";

/**
 * The files of a docker-registry, as its filesystem driver lays them out. It serves what it finds there without looking at it:
 * a file that a full disk or a power cut has left incomplete would be handed out for ever.
 */
export class BlobStore {
  readonly #root: string;

  constructor(directory: string) {
    this.#root = join(directory, "docker/registry/v2");
  }

  /** Where the bytes of a digest are, or would be. */
  file(digest: string): string {
    return join(this.#folder(digest), "data");
  }

  /** When the bytes of a digest were last written, if there are as many of them as it takes. */
  async written({ digest, size }: Descriptor): Promise<number | undefined> {
    const found = await stat(this.file(digest)).catch(ifMissing);
    return found?.size === size ? found.mtimeMs : undefined;
  }

  /** Whether a repository has a file: its bytes, and the note that they belong to it. */
  async has(repository: string, file: Descriptor, kind: Kind): Promise<boolean> {
    const noted = await readFile(this.#link(repository, file.digest, kind), "utf8").catch(ifMissing);
    return noted?.trim() === file.digest && (await this.written(file)) !== undefined;
  }

  /** Removes what a repository has under a digest unless it is what the digest stands for. Whether there was such a thing. */
  async removeIfDamaged(repository: string, digest: string, kind: Kind): Promise<boolean> {
    const badLink = await this.#removeBadLink(repository, digest, kind);
    const actual = await sha256Of(this.file(digest)).catch(ifMissing);
    const badBytes = actual !== undefined && actual !== digest;
    if (badBytes) await rm(this.#folder(digest), { recursive: true, force: true });
    return badLink || badBytes;
  }

  /** The same by the number of bytes, without reading them. */
  async removeIfIncomplete(repository: string, file: Descriptor, kind: Kind): Promise<void> {
    await this.#removeBadLink(repository, file.digest, kind);
    if ((await this.written(file)) === undefined) {
      await rm(this.#folder(file.digest), { recursive: true, force: true });
    }
  }

  /** Bytes of what is on its way into a repository. */
  async arriving(repository: string): Promise<number> {
    const folder = join(this.#root, "repositories", repository, "_uploads");
    const uploads = (await readdir(folder).catch(ifMissing)) ?? [];
    const files = await Promise.all(uploads.map((name) => stat(join(folder, name, "data")).catch(ifMissing)));
    return files.reduce((sum, file) => sum + (file?.size ?? 0), 0);
  }

  async #removeBadLink(repository: string, digest: string, kind: Kind): Promise<boolean> {
    const link = this.#link(repository, digest, kind);
    const noted = await readFile(link, "utf8").catch(ifMissing);
    const bad = noted !== undefined && noted.trim() !== digest;
    if (bad) await rm(link);
    return bad;
  }

  #link(repository: string, digest: string, kind: Kind): string {
    const folder = kind === "blob" ? "_layers" : "_manifests/revisions";
    return join(this.#root, "repositories", repository, folder, digest.replace(":", "/"), "link");
  }

  #folder(digest: string): string {
    const [algorithm = "", hex = ""] = digest.split(":");
    return join(this.#root, "blobs", algorithm, hex.slice(0, 2), hex);
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}

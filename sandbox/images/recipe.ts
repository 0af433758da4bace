import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { contentKey, filesOf } from "../../toolchain/cache.ts";
import type { Layer, Report } from "./layers.ts";
import type { TarEntry } from "./tar.ts";

/** How the sandbox makes the image of one product. */
export interface Recipe {
  readonly name: string;
  /** Repositories it answers for, with their host. */
  readonly repositories: readonly string[];
  /** A fake only behaves like the product; see its folder's README. */
  readonly kind: "real" | "fake";
  /** Folder whose files go into the image; any change in it makes new images. */
  readonly folder: string;
  /** More files and folders that go into the image. */
  readonly more?: readonly string[];
  /** The big layers, the same for every tag. Cached by content. */
  layers(report: Report): Promise<readonly Layer[]>;
  /** The small layer and the settings that follow from the tag: made anew for each, in no time. */
  finish(tag: string): Promise<Finish>;
}

export interface Finish {
  readonly entries: readonly TarEntry[];
  readonly config: ImageConfig;
}

/** The `config` of an OCI image; the field names are its own. */
export interface ImageConfig {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
}

const shared = ["debian.ts", "busybox.ts", "npm.ts", "pip.ts", "prune.ts", "publish.ts", "tar.ts"];

/** Hash of every file that goes into the image, and of how recipes in general become images. */
export async function recipeKey(recipe: Recipe): Promise<string> {
  const paths = [recipe.folder, ...(recipe.more ?? []), ...shared.map((name) => join(import.meta.dirname, name))];
  const files = (await Promise.all(paths.map(filesOf))).flat();
  const texts = await Promise.all(files.map((name) => readFile(name, "latin1")));
  return contentKey(recipe.name, process.arch, ...texts);
}

/** `/etc/passwd` and `/etc/group` with the service's own account beside the usual few. */
export function accounts(user: string, uid: number, gid: number, home: string): TarEntry[] {
  const passwd = [
    "root:x:0:0:root:/root:/bin/sh",
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    `${user}:x:${uid}:${gid}:${user}:${home}:/bin/sh`,
  ];
  const group = ["root:x:0:", "daemon:x:1:", "tty:x:5:", "nogroup:x:65534:", `${user}:x:${gid}:`];
  return [
    { kind: "dir", path: "etc" },
    { kind: "file", path: "etc/passwd", content: passwd.join("\n") + "\n" },
    { kind: "file", path: "etc/group", content: group.join("\n") + "\n" },
  ];
}

import { createHash } from "node:crypto";
import { link, lstat, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../shared/exec.ts";

/** Files that a running program does not read, with the reason. */
export interface Unneeded {
  /** Matched against a file's path below the root, with a leading slash. */
  readonly files: RegExp;
  readonly why: string;
}

/** What no program from npm reads when it runs. */
export const unneededByAll: readonly Unneeded[] = [
  { files: /\.map$/, why: "source maps: for debuggers" },
  {
    files: /(?<!\/assets\/[^/]*)\.([cm]?tsx?|tsbuildinfo|flow)$/,
    why: "types and TypeScript, which Node does not run below node_modules; as an asset it is text for somebody",
  },
  { files: /\/(readme|changelog|changes|history|contributing)[^/]*\.(md|markdown|txt)$/i, why: "documentation" },
  { files: /\.(c|cc|cpp|cxx|h|hh|hpp|gyp|gypi)$/, why: "sources of native addons, which come built" },
  {
    files: /\/(dist-es|esnext|esm-browser|esm5|esm2015|es2015|amd|dist-browser|react-native|\.github)\//,
    why: "builds for bundlers, browsers and phones beside the one for Node",
  },
  { files: /\.(test|spec)\.[cm]?js$|\/__(tests|mocks|fixtures)__\//, why: "tests" },
  { files: /\/prebuilds\/(darwin|win32|android|freebsd)-|[.-]musl\.node$|\.exe$/, why: "binaries of other platforms" },
];

/** The needed files and links below `root`, with the folders above them, sorted; relative to it. */
export async function neededFiles(root: string, unneeded: readonly Unneeded[]): Promise<string[]> {
  const needed: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    const before = needed.length;
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) await visit(path);
      else if (!entry.isFile() || !unneeded.some(({ files }) => files.test(path))) needed.push(path.slice(1));
    }
    if (needed.length > before && folder !== "") needed.push(folder.slice(1));
  };
  await visit("");
  return needed.sort();
}

/** Writes the files and folders at these paths below `root` as an archive; the same content gives the same bytes. */
export async function archive(root: string, paths: readonly string[], file: string): Promise<void> {
  const list = `${file}.list`;
  await writeFile(list, paths.join("\0"));
  const plain = ["--owner=0", "--group=0", "--numeric-owner", "--mtime=@1700000000", "--no-recursion"];
  await run("tar", [...plain, "-C", root, "-cf", file, "--null", `--files-from=${list}`]);
  await rm(list);
}

/** Below this a file takes no more room than its second name would. */
const SMALLEST_LINKED = 4096;

/**
 * Makes those of the files that are equal in content and mode one file with several names: npm installs a package once
 * for each range of versions that is asked for. Sorted paths give the same archive each time. Answers the bytes saved.
 */
export async function linkDuplicates(root: string, paths: readonly string[]): Promise<number> {
  const bySize = new Map<string, string[]>();
  for (const path of paths) {
    const found = await lstat(join(root, path));
    if (!found.isFile() || found.size < SMALLEST_LINKED) continue;
    const key = `${found.size} ${found.mode}`;
    bySize.set(key, [...(bySize.get(key) ?? []), join(root, path)]);
  }
  let saved = 0;
  for (const alike of bySize.values()) {
    if (alike.length < 2) continue;
    const byContent = new Map<string, string>();
    for (const path of alike) {
      const content = await readFile(path);
      const digest = createHash("sha256").update(content).digest("hex");
      const first = byContent.get(digest);
      byContent.set(digest, first ?? path);
      if (first === undefined) continue;
      await link(first, `${path}.link`);
      await rename(`${path}.link`, path);
      saved += content.length;
    }
  }
  return saved;
}

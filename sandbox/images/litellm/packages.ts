import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Layer, Report } from "../layers.ts";
import { ensureLayerFile } from "../layers.ts";
import { archive, neededFiles, type Unneeded, unneededByAll } from "../prune.ts";

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dependencies?: object }>>;
}

const repository = join(import.meta.dirname, "..", "..", "..");

/** What the engines import. Their versions are those of this repository, which type-checks and tests them. */
const IMPORTED = [
  "@prisma/adapter-pg",
  "@prisma/client-engine-runtime",
  "@prisma/query-compiler-wasm",
  "graphql",
  "pg",
];

const unneeded: readonly Unneeded[] = [
  ...unneededByAll,
  { files: /\/query-compiler-wasm\/(?!postgresql\/|package\.json$)/, why: "query compilers for other databases" },
  { files: /\/query_compiler_small/, why: "the slower of the two compilers" },
];

interface Package {
  /** Below this repository, and below the engines' folder. */
  readonly path: string;
  readonly version: string;
}

/** A layer with what the engines import, copied out of this repository's own packages. */
export async function enginesLayer(at: string, report: Report): Promise<Layer> {
  const packages = await enginePackages();
  const inputs = { at, packages, unneeded: unneeded.map(({ files }) => String(files)) };
  return ensureLayerFile("litellm-engines", inputs, report, async (file) => {
    const root = join(dirname(file), "root");
    await mkdir(join(root, at), { recursive: true });
    for (const { path, version } of packages) await copyPackage(join(repository, path), join(root, at, path), version);
    await writeFile(join(root, at, "package.json"), JSON.stringify({ private: true, type: "module" }));
    await archive(root, await neededFiles(root, unneeded), file);
    await rm(root, { recursive: true });
  });
}

/** Without the packages inside it, which are listed themselves. */
async function copyPackage(from: string, to: string, version: string): Promise<void> {
  const found = JSON.parse(await readFile(join(from, "package.json"), "utf8")) as { version: string };
  if (found.version !== version) {
    throw new Error(`${from} is at ${found.version} and package-lock.json says ${version}: run npm ci`);
  }
  await cp(from, to, { recursive: true, filter: (path) => path === from || basename(path) !== "node_modules" });
}

/** Those packages and what they depend on, with the versions that the lock file pins. */
export async function enginePackages(): Promise<Package[]> {
  const { packages } = JSON.parse(await readFile(join(repository, "package-lock.json"), "utf8")) as Lock;
  const found = new Map<string, string>();
  const add = (name: string, from: string): void => {
    const path = resolve(name, from, packages);
    const its = path === undefined ? undefined : packages[path];
    if (path === undefined || its === undefined) throw new Error(`package-lock.json has no ${name} for ${from}`);
    if (found.has(path)) return;
    found.set(path, its.version);
    for (const dependency of Object.keys(its.dependencies ?? {})) add(dependency, path);
  };
  for (const name of IMPORTED) add(name, "");
  return [...found].map(([path, version]) => ({ path, version })).toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** As Node finds it: in the folder of who asks, or in one above. */
function resolve(name: string, from: string, packages: Lock["packages"]): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(at.lastIndexOf("/node_modules/"), 0))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (path in packages) return path;
    if (at === "") return undefined;
  }
}

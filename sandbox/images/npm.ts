import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../../shared/exec.ts";
import type { Layer, Report } from "./layers.ts";
import { ensureLayerFile } from "./layers.ts";
import type { Unneeded } from "./prune.ts";
import { archive, linkDuplicates, neededFiles, unneededByAll } from "./prune.ts";
import { directories, writeTar } from "./tar.ts";

export interface NpmProgram {
  /** Also the folder that it lies in: /opt/<name>. */
  readonly name: string;
  /** Packages by name, each at one version. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** Version of the Node that it runs on, which {@link nodeLayer} holds. */
  readonly node: string;
  /** Packages whose install scripts are run. No other's is. */
  readonly rebuild?: readonly string[];
  /** What of it the running product does not need, beside {@link unneededByAll}. */
  readonly unneeded?: readonly Unneeded[];
}

const NODE = "usr/local/bin/node";

/** A layer with Node at /usr/local/bin/node: one for all products on the same version. */
export function nodeLayer(version: string, report: Report): Promise<Layer> {
  return ensureLayerFile("node", { version }, report, async (file) => {
    const root = join(dirname(file), "root");
    await npmInstall(root, { node: `npm:node-linux-${process.arch === "arm64" ? "arm64" : "x64"}@${version}` });
    const content = await readFile(join(root, "node_modules", "node", "bin", "node"));
    await writeFile(file, writeTar([...directories(NODE), { kind: "file", path: NODE, mode: 0o755, content }]));
    await rm(root, { recursive: true });
  });
}

/** A layer with a program from npm, without what it does not read when it runs. It lies over {@link nodeLayer}. */
export async function npmLayer(program: NpmProgram, report: Report): Promise<Layer> {
  const { name, dependencies, rebuild = [] } = program;
  const node = await nodeLayer(program.node, report);
  const unneeded = [...unneededByAll, ...(program.unneeded ?? [])];
  const inputs = { dependencies, rebuild, node: node.digest, unneeded: unneeded.map(({ files }) => String(files)) };
  return ensureLayerFile(name, inputs, report, async (file) => {
    const home = join(dirname(file), "root");
    const root = join(home, "opt", name);
    await npmInstall(root, dependencies);
    if (rebuild.length > 0) {
      const tools = join(dirname(file), "node");
      await mkdir(tools);
      await run("tar", ["-xf", node.file, "-C", tools]);
      const path = `PATH=${join(tools, dirname(NODE))}:${process.env["PATH"] ?? ""}`;
      // Explicit: the environment's npm settings may say the opposite.
      await run("env", [path, "npm", "--prefix", root, "rebuild", "--ignore-scripts=false", ...rebuild]);
      await rm(tools, { recursive: true });
    }
    const needed = await neededFiles(home, unneeded);
    await linkDuplicates(home, needed);
    await archive(home, needed, file);
    await rm(home, { recursive: true });
  });
}

/** Installs the packages below `root`. No script of theirs is run. */
export async function npmInstall(root: string, dependencies: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(root, { recursive: true });
  await writeFile(join(root, "package.json"), JSON.stringify({ private: true, dependencies }));
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--no-package-lock"];
  await run("npm", ["--prefix", root, "install", ...options]);
}

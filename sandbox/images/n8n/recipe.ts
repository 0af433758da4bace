import { debianBase, debianPackages } from "../debian.ts";
import { npmLayer } from "../npm.ts";
import type { Recipe } from "../recipe.ts";
import { accounts } from "../recipe.ts";

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
    const program = npmLayer(
      { name: "n8n", dependencies: { n8n: versions.n8n }, node: versions.node, rebuild: ["sqlite3", "isolated-vm"] },
      report,
    );
    return [await debianBase(report), await libraries, await program];
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

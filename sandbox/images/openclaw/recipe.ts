import { debianBase, debianPackages } from "../debian.ts";
import { nodeLayer, npmLayer } from "../npm.ts";
import type { Unneeded } from "../prune.ts";
import type { Recipe } from "../recipe.ts";
import { accounts } from "../recipe.ts";

/** The newest OpenClaw that the npm registry serves and that was tried, on the newest Node that it takes. */
const versions = { openclaw: "2026.9.6", node: "24.21.0" };

/** What upstream's image installs beside Node, and the libraries that Node's build from npm wants. */
const packages = [
  "ca-certificates",
  "curl",
  "git",
  "hostname",
  "lsof",
  "openssl",
  "procps",
  "python3",
  "tini",
  "libatomic1",
  "libstdc++6",
];

const unneeded: readonly Unneeded[] = [
  {
    files: /\/openclaw\/dist\/worker\/(worker|sqlite-store\.worker)\.mjs$/,
    why: "sent to machines that work for it; here are none",
  },
  {
    files: /\/node_modules\/(@trycua|chrome-devtools-mcp|playwright-core)\//,
    why: "drive a desktop or browser, which upstream's image has not",
  },
  { files: /\/node_modules\/typescript\//, why: "a compiler" },
  { files: /\/control-ui\/.*\.(br|gz)$/, why: "compressed copies of files that are there" },
];

/** OpenClaw itself, from npm. */
export const openclaw: Recipe = {
  name: "openclaw",
  repositories: ["ghcr.io/openclaw/openclaw"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const tools = debianPackages({ name: "openclaw-tools", packages }, report);
    const program = npmLayer(
      {
        name: "openclaw",
        dependencies: { openclaw: versions.openclaw },
        node: versions.node,
        // Otherwise it runs its own script at its first start, and wants to write into its own folder.
        rebuild: ["openclaw"],
        unneeded,
      },
      report,
    );
    return [await debianBase(report), await tools, await nodeLayer(versions.node, report), await program];
  },
  async finish() {
    const node = { uid: 1000, gid: 1000 };
    return {
      entries: [
        ...accounts("node", 1000, 1000, "/home/node"),
        ...["usr", "usr/local", "usr/local/bin", "home"].map((path) => ({ kind: "dir", path }) as const),
        { kind: "link", path: "app", target: "/opt/openclaw/node_modules/openclaw" },
        { kind: "link", path: "usr/local/bin/openclaw", target: "/app/openclaw.mjs" },
        { kind: "dir", path: "home/node", ...node },
        { kind: "dir", path: "home/node/.config", ...node },
        ...[".config/openclaw", ".openclaw", ".openclaw/workspace"].map(
          (path) => ({ kind: "dir", path: `home/node/${path}`, mode: 0o700, ...node }) as const,
        ),
      ],
      config: {
        User: "node",
        Env: ["NODE_ENV=production"],
        Entrypoint: ["tini", "-s", "--"],
        Cmd: ["node", "openclaw.mjs", "gateway"],
        WorkingDir: "/app",
        ExposedPorts: { "18789/tcp": {} },
      },
    };
  },
};

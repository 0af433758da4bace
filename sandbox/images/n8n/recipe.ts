import { debianBase, debianPackages } from "../debian.ts";
import { nodeLayer, npmLayer } from "../npm.ts";
import type { Unneeded } from "../prune.ts";
import type { Recipe } from "../recipe.ts";
import { accounts } from "../recipe.ts";
import { directories } from "../tar.ts";

/**
 * The newest n8n whose packages the npm registry has all of, on the newest Node of the line that upstream's image has;
 * the tag does not choose them. 2.41.3 cannot be installed: it asks for an @n8n/agents that was never published.
 */
const versions = { n8n: "2.41.1", node: "24.21.0" };

const folders = (...names: readonly string[]): RegExp => new RegExp(`/node_modules/(${names.join("|")})/`);

const unneeded: readonly Unneeded[] = [
  {
    files: folders("@n8n/design-system", "@element-plus", "element-plus", "reka-ui", "@tiptap", "@vue", "vue"),
    why: "what the browser's part of @n8n/mcp-apps is made of; that package brings it built",
  },
  { files: folders("prosemirror-[a-z]+", "highlight\\.js", "lodash-es"), why: "the same" },
  { files: folders("typescript", "@typescript"), why: "compilers, which packages ask for to build themselves" },
  { files: folders("node-gyp", "nan", "node-addon-api"), why: "builds native addons" },
  { files: folders("playwright"), why: "a test runner with a second playwright-core; upstream's image has no browser" },
  { files: /\/agent-browser\/bin\/agent-browser-(?!.*\.js$)/, why: "drives a browser, which upstream's image has not" },
  { files: folders("chromadb-js-bindings-[a-z0-9-]+"), why: "Chroma inside the process; n8n's node asks a server" },
  {
    files: /\/node_modules\/(@[^/]+\/[^/]+|[^/@]+)\/(tests?|docs?|examples?|benchmarks?)\//,
    why: "tests and documentation that packages bring along",
  },
  {
    files: /\/(@opentelemetry\/[^/]+\/build\/esm|date-fns\/esm|@azure\/[^/]+\/dist\/browser)\//,
    why: "second builds of packages that n8n takes as CommonJS",
  },
  { files: /\/(sqlite3|isolated-vm)\/.*\.(tgz|tar\.gz)$/, why: "sources of native addons" },
];

const [triplet, cpu] = process.arch === "arm64" ? ["aarch64-linux-gnu", "arm64"] : ["x86_64-linux-gnu", "x64"];

/**
 * The Agent node does not load without SQLite. npm's package has no binary for it and would compile one; Debian's,
 * of the same interface (Node-API 6), needs no compiler here.
 */
const SQLITE = {
  others: /^(?!.*\/napi-v6[^/]*\/node_sqlite3\.node$)/,
  file: `/usr/lib/${triplet}/nodejs/sqlite3/lib/binding/napi-v6-linux-glibc-${cpu}/node_sqlite3.node`,
  // Debian's Node is this library, and the binding asks for it by name. Here the interface is in the program itself:
  // any library will do in that place, and this one is loaded already.
  node: { path: `usr/lib/${triplet}/libnode.so.115`, target: "libatomic.so.1" },
  looked: "opt/n8n/node_modules/sqlite3/build/Release/node_sqlite3.node",
};

/** n8n itself, from npm. */
export const n8n: Recipe = {
  name: "n8n",
  repositories: ["docker.n8n.io/n8nio/n8n", "docker.io/n8nio/n8n"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const packages = ["busybox-static", "ca-certificates", "libatomic1", "libsqlite3-0", "libstdc++6", "tini"];
    const libraries = debianPackages({ name: "n8n-libraries", packages }, report);
    const sqlite = debianPackages({ name: "n8n-sqlite", packages: ["node-sqlite3"], drop: [SQLITE.others] }, report);
    const node = nodeLayer(versions.node, report);
    const program = npmLayer(
      { name: "n8n", dependencies: { n8n: versions.n8n }, node: versions.node, unneeded },
      report,
    );
    return [await debianBase(report), await libraries, await sqlite, await node, await program];
  },
  async finish() {
    const node = { uid: 1000, gid: 1000 };
    return {
      entries: [
        ...accounts("node", 1000, 1000, "/home/node"),
        ...directories("usr/local/bin/n8n", "home/node", SQLITE.looked, SQLITE.node.path),
        { kind: "link", path: SQLITE.looked, target: SQLITE.file },
        { kind: "link", path: SQLITE.node.path, target: SQLITE.node.target },
        { kind: "dir", path: "home/node", ...node },
        { kind: "dir", path: "home/node/.n8n", mode: 0o700, ...node },
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

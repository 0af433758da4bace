import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { filesOf } from "../../../toolchain/cache.ts";
import { debianBase, debianPackages } from "../debian.ts";
import type { Layer, Report } from "../layers.ts";
import { nodeLayer } from "../npm.ts";
import { pipLayer, sitePackages } from "../pip.ts";
import type { Unneeded } from "../prune.ts";
import type { Recipe } from "../recipe.ts";
import { directories, type TarEntry } from "../tar.ts";
import { enginesLayer } from "./packages.ts";

/** `prisma` is the command that makes LiteLLM's database client out of its schema: at the version that client is for. */
const versions = { python: "3.13", node: "24.21.0", prisma: "5.4.2" };

const VENV = "app/.venv";
const SITE = sitePackages(VENV, versions.python);
const ENGINES = "opt/engines";
const NODE = "/usr/local/bin/node";
const QUERY_ENGINE = "/usr/local/bin/query-engine";

const COMMAND = `#!/${VENV}/bin/python3
from litellm import run_server
run_server()
`;

const notInPython: readonly RegExp[] = [
  /^usr\/lib\/python3\.\d+\/(test|idlelib|turtledemo|pydoc_data|lib2to3|ensurepip|tkinter)\//,
  /^usr\/(share\/(applications|pixmaps|python3?)|lib\/valgrind)\//,
];

const unneeded: readonly Unneeded[] = [
  { files: /\/(tests?|testing)\/(?!__init__\.py)/, why: "tests of the packages, numpy's first of all" },
  { files: /\.(pyi|pyx|pxd|c|h|hpp|cpp|a)$|\/py\.typed$/, why: "for type checkers and compilers" },
  { files: /\/bin\/(?!python3?$)[^/]+$/, why: "commands of the packages" },
];

/** LiteLLM itself, from PyPI. Its database client runs on engines of this repository: Prisma's are not on a registry. */
export const litellm: Recipe = {
  name: "litellm",
  repositories: ["ghcr.io/berriai/litellm"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const below = [await debianBase(report), await python(report), await nodeLayer(versions.node, report)];
    return [...below, await program(below, report), await enginesLayer(ENGINES, report)];
  },
  async finish() {
    const entries: TarEntry[] = [
      ...directories("app/docker/x", `${VENV}/bin/x`, "usr/local/bin/x", `${ENGINES}/x`),
      { kind: "file", path: "app/docker/prod_entrypoint.sh", mode: 0o755, content: '#!/bin/sh\nexec litellm "$@"\n' },
      { kind: "file", path: `${VENV}/bin/litellm`, mode: 0o755, content: COMMAND },
      { kind: "file", path: `${VENV}/bin/prisma`, mode: 0o755, content: start("schema-engine") },
      { kind: "file", path: QUERY_ENGINE.slice(1), mode: 0o755, content: start("query-engine") },
      ...(await sources("query-engine")),
      ...(await sources("schema-engine")),
    ];
    return {
      entries,
      config: {
        Env: [
          `PATH=/${VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
          `PRISMA_QUERY_ENGINE_BINARY=${QUERY_ENGINE}`,
        ],
        Entrypoint: ["docker/prod_entrypoint.sh"],
        Cmd: ["--port", "4000"],
        WorkingDir: "/app",
        ExposedPorts: { "4000/tcp": {} },
      },
    };
  },
};

function start(engine: string): string {
  return `#!/bin/sh\nexec ${NODE} /${ENGINES}/${engine}/main.ts "$@"\n`;
}

async function sources(engine: string): Promise<TarEntry[]> {
  const folder = join(import.meta.dirname, engine);
  const files = await filesOf(folder);
  const entries = files.map(async (file): Promise<TarEntry> => {
    return {
      kind: "file",
      path: `${ENGINES}/${file.slice(dirname(folder).length + 1)}`,
      content: await readFile(file),
    };
  });
  return [{ kind: "dir", path: `${ENGINES}/${engine}` }, ...(await Promise.all(entries))];
}

function python(report: Report): Promise<Layer> {
  // Prisma asks `openssl` for its version; the libraries are those that Node wants.
  const wanted = ["python3", "openssl", "libatomic1", "libstdc++6"];
  return debianPackages({ name: "litellm-python", packages: wanted, drop: notInPython }, report);
}

function program(over: readonly Layer[], report: Report): Promise<Layer> {
  const none = ["QUERY_ENGINE_LIBRARY", "SCHEMA_ENGINE_BINARY", "FMT_BINARY"];
  return pipLayer(
    {
      name: "litellm",
      requirements: join(import.meta.dirname, "requirements.txt"),
      python: versions.python,
      venv: VENV,
      over,
      tools: { prisma: versions.prisma },
      commands: [
        `export PATH=/${VENV}/bin:$PATH CHECKPOINT_DISABLE=1`,
        // Making a client needs no engine; without these each would be downloaded. The client notes the first one's place.
        `ln -s /bin/true ${QUERY_ENGINE} && export PRISMA_QUERY_ENGINE_BINARY=${QUERY_ENGINE}`,
        ...none.map((name) => `export PRISMA_${name}=/bin/true`),
        `printf "#!/bin/sh\nexec python3 -m prisma \"\$@\"\n" > /${VENV}/bin/prisma-client-py`,
        `chmod 755 /${VENV}/bin/prisma-client-py`,
        `${NODE} /tools/node_modules/prisma/build/index.js generate --schema /${SITE}/litellm/proxy/schema.prisma`,
      ],
      unneeded,
    },
    report,
  );
}

import { join } from "node:path";
import { busyboxBase, goLayer } from "../busybox.ts";
import type { Recipe } from "../recipe.ts";

const VERSION = "v4.28.0";
const PROGRAM = "usr/local/lib/diun/diun";

/** DIUN from its own module, in an image like upstream's Alpine one. */
export const diun: Recipe = {
  name: "diun",
  repositories: ["docker.io/crazymax/diun", "ghcr.io/crazy-max/diun"],
  kind: "real",
  folder: import.meta.dirname,
  layers(report) {
    const program = {
      name: "diun",
      module: join(import.meta.dirname, "program"),
      importPath: "github.com/crazy-max/diun/v4/cmd",
      ldflags: `-s -w -X main.version=${VERSION}`,
      path: PROGRAM,
    };
    return Promise.all([busyboxBase(report), goLayer(program, report)]);
  },
  async finish() {
    return {
      entries: [
        { kind: "dir", path: "data" },
        { kind: "dir", path: "usr/local/bin" },
        {
          kind: "file",
          path: "usr/local/bin/diun",
          mode: 0o755,
          // The command `healthcheck` is newer than this version: it asks the running one, as `image list` does.
          content: `#!/bin/sh
if [ "$1" = healthcheck ]; then exec /${PROGRAM} image list > /dev/null; fi
exec /${PROGRAM} "$@"
`,
        },
      ],
      config: {
        Env: ["PROFILER_PATH=/profiler", "DIUN_DB_PATH=/data/diun.db"],
        Entrypoint: ["diun"],
        Cmd: ["serve"],
        Volumes: { "/data": {} },
      },
    };
  },
};

import { join } from "node:path";
import { busyboxBase } from "../../images/busybox.ts";
import type { Recipe } from "../../images/recipe.ts";
import { DOUBLES, doubleFolder, doubleLayer } from "../double.ts";

/** A double of DIUN; upstream's image is Alpine, so there is a shell for scripts. */
export const diunDouble: Recipe = {
  name: "diun",
  repositories: ["docker.io/crazymax/diun", "ghcr.io/crazy-max/diun"],
  kind: "double",
  folder: doubleFolder("diun"),
  moreFolders: [join(DOUBLES, "serve")],
  layers: (report) => Promise.all([busyboxBase(report), doubleLayer("diun", "usr/local/bin/diun", report)]),
  async finish() {
    return {
      entries: [{ kind: "dir", path: "data" }],
      config: {
        Env: ["PROFILER_PATH=/profiler", "DIUN_DB_PATH=/data/diun.db"],
        Entrypoint: ["diun"],
        Cmd: ["serve"],
        Volumes: { "/data": {} },
      },
    };
  },
};

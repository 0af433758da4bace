import { busyboxBase } from "../../images/busybox.ts";
import type { Recipe } from "../../images/recipe.ts";
import { goDouble } from "../double.ts";

const double = goDouble("diun");

/** A double of DIUN; upstream's image is Alpine, so there is a shell for scripts. */
export const diunDouble: Recipe = {
  name: "diun",
  repositories: ["docker.io/crazymax/diun", "ghcr.io/crazy-max/diun"],
  kind: "double",
  folder: double.folder,
  more: double.more,
  layers: (report) => Promise.all([busyboxBase(report), double.program("usr/local/bin/diun", report)]),
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

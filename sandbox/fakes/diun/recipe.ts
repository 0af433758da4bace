import { busyboxBase } from "../../images/busybox.ts";
import type { Recipe } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("diun");

/** A fake of DIUN; upstream's image is Alpine, so there is a shell for scripts. */
export const diunFake: Recipe = {
  name: "diun",
  repositories: ["docker.io/crazymax/diun", "ghcr.io/crazy-max/diun"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  layers: (report) => Promise.all([busyboxBase(report), fake.program("usr/local/bin/diun", report)]),
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

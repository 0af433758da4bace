import { join } from "node:path";
import { debianBase } from "../../images/debian.ts";
import type { Recipe } from "../../images/recipe.ts";
import { accounts } from "../../images/recipe.ts";
import { DOUBLES, doubleFolder, doubleLayer } from "../double.ts";

/** A double of Alloy. Debian below it, as Ubuntu is below upstream's: its health check needs bash. */
export const alloyDouble: Recipe = {
  name: "alloy",
  repositories: ["docker.io/grafana/alloy"],
  kind: "double",
  folder: doubleFolder("alloy"),
  moreFolders: [join(DOUBLES, "serve"), join(DOUBLES, "wire")],
  async layers(report) {
    return Promise.all([debianBase(report), doubleLayer("alloy", "bin/alloy", report)]);
  },
  async finish() {
    const owner = { uid: 473, gid: 473, mode: 0o770 };
    return {
      entries: [
        ...accounts("alloy", 473, 473, "/home/alloy"),
        { kind: "dir", path: "etc/alloy" },
        { kind: "dir", path: "var/lib/alloy", ...owner },
        { kind: "dir", path: "var/lib/alloy/data", ...owner },
      ],
      config: {
        Env: ["ALLOY_DEPLOY_MODE=docker"],
        Entrypoint: ["/bin/alloy"],
        Cmd: ["run", "/etc/alloy/config.alloy", "--storage.path=/var/lib/alloy/data"],
      },
    };
  },
};

import { debianBase } from "../../images/debian.ts";
import type { Recipe } from "../../images/recipe.ts";
import { accounts } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("alloy", ["serve", "wire"]);

/** A fake of Alloy. Debian below it, as Ubuntu is below upstream's: its health check needs bash. */
export const alloyFake: Recipe = {
  name: "alloy",
  repositories: ["docker.io/grafana/alloy"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  async layers(report) {
    return Promise.all([debianBase(report), fake.program("bin/alloy", report)]);
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

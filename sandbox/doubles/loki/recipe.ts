import { join } from "node:path";
import type { Recipe } from "../../images/recipe.ts";
import { accounts } from "../../images/recipe.ts";
import { DOUBLES, doubleFolder, doubleLayer } from "../double.ts";

/** A double of Loki. Nothing below it, as upstream: there is no shell, and the program checks its own health (P16). */
export const lokiDouble: Recipe = {
  name: "loki",
  repositories: ["docker.io/grafana/loki"],
  kind: "double",
  folder: doubleFolder("loki"),
  moreFolders: [join(DOUBLES, "serve"), join(DOUBLES, "wire")],
  async layers(report) {
    return [await doubleLayer("loki", "usr/bin/loki", report)];
  },
  async finish() {
    return {
      entries: [...accounts("loki", 10001, 10001, "/home/loki"), { kind: "dir", path: "loki", uid: 10001, gid: 10001 }],
      config: {
        User: "10001",
        Entrypoint: ["/usr/bin/loki"],
        Cmd: ["-config.file=/etc/loki/local-config.yaml"],
        ExposedPorts: { "3100/tcp": {} },
      },
    };
  },
};

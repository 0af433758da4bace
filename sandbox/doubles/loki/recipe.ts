import type { Recipe } from "../../images/recipe.ts";
import { accounts } from "../../images/recipe.ts";
import { goDouble } from "../double.ts";

const double = goDouble("loki", ["serve", "wire"]);

/** A double of Loki. Nothing below it, as upstream: there is no shell, and the program checks its own health (P16). */
export const lokiDouble: Recipe = {
  name: "loki",
  repositories: ["docker.io/grafana/loki"],
  kind: "double",
  folder: double.folder,
  more: double.more,
  async layers(report) {
    return [await double.program("usr/bin/loki", report)];
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

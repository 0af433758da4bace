import type { Recipe } from "../../images/recipe.ts";
import { accounts } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("loki", ["serve", "wire"]);

/** A fake of Loki. Nothing below it, as upstream: there is no shell, and the program checks its own health (P16). */
export const lokiFake: Recipe = {
  name: "loki",
  repositories: ["docker.io/grafana/loki"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  async layers(report) {
    return [await fake.program("usr/bin/loki", report)];
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

import { busyboxBase } from "../../images/busybox.ts";
import type { Recipe } from "../../images/recipe.ts";
import { goDouble } from "../double.ts";

const double = goDouble("cadvisor");

/** A double of cAdvisor; what it does and does not do is in the README beside this file. */
export const cadvisorDouble: Recipe = {
  name: "cadvisor",
  repositories: ["ghcr.io/google/cadvisor"],
  kind: "double",
  folder: double.folder,
  more: double.more,
  layers: async (report) => Promise.all([busyboxBase(report), double.program("usr/bin/cadvisor", report)]),
  finish: () =>
    Promise.resolve({
      entries: [
        ...["usr", "usr/bin"].map((path) => ({ kind: "dir", path }) as const),
        {
          kind: "file",
          path: "usr/bin/entrypoint.sh",
          mode: 0o755,
          content: '#!/bin/sh\nset -e\nexec /usr/bin/cadvisor -logtostderr "$@"\n',
        },
      ],
      config: { Entrypoint: ["/usr/bin/entrypoint.sh"], ExposedPorts: { "8080/tcp": {} } },
    }),
};

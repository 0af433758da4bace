import { join } from "node:path";
import { busyboxBase } from "../../images/busybox.ts";
import type { Recipe } from "../../images/recipe.ts";
import { DOUBLES, doubleLayer } from "../double.ts";

/** A double of cAdvisor; what it does and does not do is in the README beside this file. */
export const cadvisorDouble: Recipe = {
  name: "cadvisor",
  repositories: ["ghcr.io/google/cadvisor"],
  kind: "double",
  folder: import.meta.dirname,
  moreFolders: [join(DOUBLES, "serve")],
  layers: async (report) => Promise.all([busyboxBase(report), doubleLayer("cadvisor", "usr/bin/cadvisor", report)]),
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

import { join } from "node:path";
import { busyboxBase, goLayer } from "../busybox.ts";
import type { Recipe } from "../recipe.ts";

/** cAdvisor's own library behind a small program with its flags, in an image like upstream's Alpine one. */
export const cadvisor: Recipe = {
  name: "cadvisor",
  repositories: ["ghcr.io/google/cadvisor"],
  kind: "real",
  folder: import.meta.dirname,
  layers(report) {
    const program = {
      name: "cadvisor",
      module: join(import.meta.dirname, "program"),
      importPath: "vpai.sandbox/cadvisor",
      path: "usr/bin/cadvisor",
    };
    return Promise.all([busyboxBase(report), goLayer(program, report)]);
  },
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

import { busyboxBase } from "../../images/busybox.ts";
import type { Recipe } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("cadvisor");

/** A fake of cAdvisor; what it does and does not do is in the README beside this file. */
export const cadvisorFake: Recipe = {
  name: "cadvisor",
  repositories: ["ghcr.io/google/cadvisor"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  layers: async (report) => Promise.all([busyboxBase(report), fake.program("usr/bin/cadvisor", report)]),
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

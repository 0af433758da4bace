import { join } from "node:path";
import { goLayer } from "../busybox.ts";
import type { Recipe } from "../recipe.ts";

const VERSION = "v0.29.3";

/** Headscale from its own module, in an image like upstream's: no shell, and the program where ko puts it. */
export const headscale: Recipe = {
  name: "headscale",
  repositories: ["docker.io/headscale/headscale", "ghcr.io/juanfont/headscale"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const program = {
      name: "headscale",
      module: join(import.meta.dirname, "program"),
      importPath: "github.com/juanfont/headscale/cmd/headscale",
      ldflags: `-s -w -X github.com/juanfont/headscale/hscontrol/types.Version=${VERSION}`,
      path: "ko-app/headscale",
    };
    return [await goLayer(program, report)];
  },
  finish: () =>
    Promise.resolve({
      entries: [
        ...["etc", "etc/headscale", "etc/ssl", "etc/ssl/certs", "var", "var/lib", "var/lib/headscale"].map(
          (path) => ({ kind: "dir", path }) as const,
        ),
        { kind: "dir", path: "tmp", mode: 0o1777 },
      ],
      config: {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/ko-app"],
        Entrypoint: ["/ko-app/headscale"],
      },
    }),
};

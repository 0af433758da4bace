import { join } from "node:path";
import { busyboxBase, goLayer } from "../busybox.ts";
import type { Recipe } from "../recipe.ts";
import { accounts } from "../recipe.ts";

/**
 * `cap_net_bind_service=+ep`, as upstream's image sets it on the program: revision 2 with the effective flag, bit 10
 * permitted. So a container that drops this capability cannot start it, here as there.
 */
const bindLowPorts = Buffer.from("0100000200040000000000000000000000000000", "hex");

/** The stock Caddy, built from its own module, in an image like upstream's Alpine one. */
export const caddy: Recipe = {
  name: "caddy",
  repositories: ["docker.io/library/caddy"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const module = join(import.meta.dirname, "program");
    const program = {
      name: "caddy",
      module,
      importPath: "vpai.sandbox/caddy",
      path: "usr/bin/caddy",
      capability: bindLowPorts,
    };
    return Promise.all([busyboxBase(report), goLayer(program, report)]);
  },
  async finish(tag) {
    return {
      entries: [
        ...accounts("caddy", 1000, 1000, "/srv"),
        ...["config", "data", "etc/caddy", "usr", "usr/share", "usr/share/caddy"].map(
          (path) => ({ kind: "dir", path }) as const,
        ),
        { kind: "dir", path: "config/caddy", mode: 0o1777 },
        { kind: "dir", path: "data/caddy", mode: 0o1777 },
        { kind: "file", path: "etc/caddy/Caddyfile", content: ":80\nroot * /usr/share/caddy\nfile_server\n" },
        {
          kind: "file",
          path: "usr/share/caddy/index.html",
          content: "<!doctype html><title>Caddy</title><p>Caddy works.\n",
        },
      ],
      config: {
        Env: [`CADDY_VERSION=v${tag.split("-")[0] ?? tag}`, "XDG_CONFIG_HOME=/config", "XDG_DATA_HOME=/data"],
        Cmd: ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"],
        WorkingDir: "/srv",
        ExposedPorts: { "80/tcp": {}, "443/tcp": {}, "443/udp": {}, "2019/tcp": {} },
      },
    };
  },
};

import { join } from "node:path";
import { busyboxBase, goLayer, type GoProgram } from "../busybox.ts";
import type { Recipe } from "../recipe.ts";

const VERSION = "1.102.3";
const PROGRAMS = ["tailscaled", "tailscale", "containerboot"] as const;

export const tailscaleProgram = (name: (typeof PROGRAMS)[number]): GoProgram => ({
  name,
  module: join(import.meta.dirname, "program"),
  importPath: `tailscale.com/cmd/${name}`,
  // Without it, its version is one that says that it is not known.
  ldflags: `-s -w -X tailscale.com/version.shortStamp=${VERSION} -X tailscale.com/version.longStamp=${VERSION}`,
  path: `usr/local/bin/${name}`,
});

/** Tailscale's programs from their own module, in an image like upstream's Alpine one, which has iptables as well. */
export const tailscale: Recipe = {
  name: "tailscale",
  repositories: ["docker.io/tailscale/tailscale", "ghcr.io/tailscale/tailscale"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const layers = [await busyboxBase(report)];
    // One after the other: what they have in common is compiled once.
    for (const name of PROGRAMS) layers.push(await goLayer(tailscaleProgram(name), report));
    return layers;
  },
  finish: () =>
    Promise.resolve({
      entries: ["var/lib/tailscale", "var/run", "var/run/tailscale"].map((path) => ({ kind: "dir", path }) as const),
      config: { Cmd: ["/usr/local/bin/containerboot"] },
    }),
};

import { debianBase, debianPackages } from "../../images/debian.ts";
import type { Recipe } from "../../images/recipe.ts";
import { accounts } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("openclaw");

/** A fake of OpenClaw; curl is in the image, as in upstream's, for the health check. Node is not. */
export const openclawFake: Recipe = {
  name: "openclaw",
  repositories: ["ghcr.io/openclaw/openclaw"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  async layers(report) {
    const tools = debianPackages(
      { name: "openclaw-fake-tools", packages: ["ca-certificates", "curl", "tini"] },
      report,
    );
    return [await debianBase(report), await tools, await fake.program("usr/local/bin/openclaw", report)];
  },
  async finish() {
    const node = { uid: 1000, gid: 1000 };
    return {
      entries: [
        ...accounts("node", 1000, 1000, "/home/node"),
        { kind: "dir", path: "app", ...node },
        { kind: "dir", path: "home" },
        { kind: "dir", path: "home/node", ...node },
        { kind: "dir", path: "home/node/.config", ...node },
        { kind: "dir", path: "home/node/.openclaw", mode: 0o700, ...node },
      ],
      config: {
        User: "node",
        Env: ["NODE_ENV=production"],
        Entrypoint: ["tini", "-s", "--"],
        Cmd: ["openclaw", "gateway"],
        WorkingDir: "/app",
        ExposedPorts: { "18789/tcp": {} },
      },
    };
  },
};

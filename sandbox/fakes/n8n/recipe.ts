import { busyboxBase } from "../../images/busybox.ts";
import type { Recipe } from "../../images/recipe.ts";
import { accounts } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("n8n");

/** A fake of n8n; what it does and does not do is in the README beside this file. */
export const n8nFake: Recipe = {
  name: "n8n",
  repositories: ["docker.n8n.io/n8nio/n8n", "docker.io/n8nio/n8n"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  async layers(report) {
    return Promise.all([busyboxBase(report), fake.program("usr/local/bin/n8n", report)]);
  },
  async finish() {
    const node = { uid: 1000, gid: 1000 };
    return {
      entries: [
        ...accounts("node", 1000, 1000, "/home/node"),
        { kind: "dir", path: "home" },
        { kind: "dir", path: "home/node", ...node },
        { kind: "dir", path: "home/node/.n8n", mode: 0o700, ...node },
      ],
      config: {
        User: "node",
        Env: ["NODE_ENV=production", "N8N_RELEASE_TYPE=stable", "SHELL=/bin/sh"],
        Entrypoint: ["n8n"],
        WorkingDir: "/home/node",
        ExposedPorts: { "5678/tcp": {} },
      },
    };
  },
};

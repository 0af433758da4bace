import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { debianBase } from "../../images/debian.ts";
import type { Recipe } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("qdrant");

/** A fake of Qdrant. Debian below it, as upstream: its health check needs bash, and there is no HTTP client (P13). */
export const qdrantFake: Recipe = {
  name: "qdrant",
  repositories: ["docker.io/qdrant/qdrant"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  async layers(report) {
    return Promise.all([debianBase(report), fake.program("qdrant/qdrant", report)]);
  },
  async finish() {
    const script = await readFile(join(fake.folder, "entrypoint.sh"));
    return {
      entries: [
        ...["qdrant", "qdrant/storage", "qdrant/snapshots"].map((path) => ({ kind: "dir", path }) as const),
        { kind: "file", path: "qdrant/entrypoint.sh", mode: 0o755, content: script },
      ],
      config: {
        Env: ["TZ=Etc/UTC", "RUN_MODE=production"],
        Cmd: ["./entrypoint.sh"],
        WorkingDir: "/qdrant",
        ExposedPorts: { "6333/tcp": {}, "6334/tcp": {} },
      },
    };
  },
};

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { debianBase, debianPackages } from "../debian.ts";
import type { Recipe } from "../recipe.ts";
import { accounts } from "../recipe.ts";

const drop: readonly RegExp[] = [
  /^usr\/(share\/perl5?|lib\/[^/]+\/perl5?)\//,
  /^var\/lib\/redis/,
  /^etc\/(redis|passwd|group|shadow|gshadow)/,
];

/** Redis by the contract of the official image: its accounts, `/data`, and an entrypoint that leaves root. */
export const redis: Recipe = {
  name: "redis",
  repositories: ["docker.io/library/redis"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const packages = debianPackages({ name: "redis", packages: ["redis-server"], drop }, report);
    return [await debianBase(report), await packages];
  },
  async finish(tag) {
    const script = await readFile(join(import.meta.dirname, "docker-entrypoint.sh"));
    // Alpine has a group 999 of its own, so upstream's Alpine images number redis's group 1000.
    const [uid, gid] = [999, tag.includes("alpine") ? 1000 : 999];
    return {
      entries: [
        ...accounts("redis", uid, gid, "/data"),
        ...["usr", "usr/local", "usr/local/bin"].map((path) => ({ kind: "dir", path }) as const),
        { kind: "dir", path: "data", uid, gid },
        { kind: "file", path: "usr/local/bin/docker-entrypoint.sh", mode: 0o755, content: script },
        ...["redis-server", "redis-cli", "redis-benchmark", "redis-check-aof", "redis-check-rdb"].map(
          (name) => ({ kind: "link", path: `usr/local/bin/${name}`, target: `/usr/bin/${name}` }) as const,
        ),
      ],
      config: {
        Entrypoint: ["docker-entrypoint.sh"],
        Cmd: ["redis-server"],
        WorkingDir: "/data",
        ExposedPorts: { "6379/tcp": {} },
        Volumes: { "/data": {} },
      },
    };
  },
};

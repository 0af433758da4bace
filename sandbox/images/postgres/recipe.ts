import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { debianBase, debianPackages } from "../debian.ts";
import type { Recipe } from "../recipe.ts";
import { accounts } from "../recipe.ts";
import type { TarEntry } from "../tar.ts";

const debianVersion = "17";
const bin = `/usr/lib/postgresql/${debianVersion}/bin`;

/** Debian's wrappers in Perl, the just-in-time compiler (a third of the size), the cluster Debian makes by itself. */
const drop: readonly RegExp[] = [
  /^usr\/(share\/perl5?|lib\/[^/]+\/perl5?)\//,
  /libLLVM|libz3\.|libperl\.|\/llvmjit|\/bitcode\//,
  /^var\/lib\/postgresql\//,
  /^etc\/(postgresql|ssl)\//,
  /^etc\/(passwd|group|shadow|gshadow)$/,
];

/** As the official image: an English UTF-8 locale, and a server that listens beyond localhost unless told otherwise. */
const customize: readonly string[] = [
  "localedef -i en_US -f UTF-8 en_US.UTF-8",
  `sed -i "s/^#*listen_addresses = .*/listen_addresses = \\x27*\\x27/" /usr/share/postgresql/${debianVersion}/postgresql.conf.sample`,
  `grep -q "^listen_addresses" /usr/share/postgresql/${debianVersion}/postgresql.conf.sample`,
];

/** PostgreSQL by the contract of the official image: its accounts, paths, variables and entrypoint. */
export const postgres: Recipe = {
  name: "postgres",
  repositories: ["docker.io/library/postgres", "docker.io/pgvector/pgvector"],
  kind: "real",
  folder: import.meta.dirname,
  async layers(report) {
    const packages = [`postgresql-${debianVersion}`, `postgresql-${debianVersion}-pgvector`];
    return [await debianBase(report), await debianPackages({ name: "postgres", packages, drop, customize }, report)];
  },
  async finish(tag) {
    const { major, uid, data, volume } = layout(tag);
    const script = await readFile(join(import.meta.dirname, "docker-entrypoint.sh"));
    const own = { uid, gid: uid };
    const entries: TarEntry[] = [
      ...accounts("postgres", uid, uid, "/var/lib/postgresql"),
      ...["usr", "usr/local", "usr/local/bin", "var", "var/lib", "run"].map((path) => ({ kind: "dir", path }) as const),
      { kind: "dir", path: "docker-entrypoint-initdb.d" },
      { kind: "dir", path: "var/lib/postgresql", mode: 0o1777, ...own },
      ...(volume === "/var/lib/postgresql"
        ? []
        : [{ kind: "dir", path: volume.slice(1), mode: 0o1777, ...own } as const]),
      { kind: "dir", path: "run/postgresql", mode: 0o3777, ...own },
      { kind: "file", path: "usr/local/bin/docker-entrypoint.sh", mode: 0o755, content: script },
    ];
    const path = `PATH=/usr/local/sbin:/usr/local/bin:${bin}:/usr/sbin:/usr/bin:/sbin:/bin`;
    return {
      entries,
      config: {
        Env: [path, "LANG=en_US.utf8", `PG_MAJOR=${major}`, `PGDATA=${data}`],
        Entrypoint: ["docker-entrypoint.sh"],
        Cmd: ["postgres"],
        ExposedPorts: { "5432/tcp": {} },
        Volumes: { [volume]: {} },
        StopSignal: "SIGINT",
      },
    };
  },
};

/** What the official image of this tag has; since 18 the volume is the parent of versioned data directories. */
export function layout(tag: string): { major: number; uid: number; data: string; volume: string } {
  const major = Number(/pg(\d+)/.exec(tag)?.[1] ?? /^(\d+)/.exec(tag)?.[1] ?? debianVersion);
  const uid = tag.includes("alpine") ? 70 : 999;
  return major >= 18
    ? { major, uid, data: `/var/lib/postgresql/${major}/docker`, volume: "/var/lib/postgresql" }
    : { major, uid, data: "/var/lib/postgresql/data", volume: "/var/lib/postgresql/data" };
}

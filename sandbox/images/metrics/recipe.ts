import { debianBase, debianPackages } from "../debian.ts";
import type { Layer, Report } from "../layers.ts";
import type { ImageConfig, Recipe } from "../recipe.ts";
import type { TarEntry } from "../tar.ts";

const packages = [
  "victoria-metrics",
  "prometheus-node-exporter",
  "prometheus-postgres-exporter",
  "prometheus-redis-exporter",
  "busybox-static",
];

/** All but the five programs and their libraries: Debian's services, tools and accounts. Upstream runs as nobody. */
const drop: readonly RegExp[] = [
  /^usr\/s?bin\/(?!busybox$|prometheus-|victoria-metrics$)/,
  /^usr\/lib\/(systemd|tmpfiles\.d)\//,
  /^etc\/(?!ld\.so)/,
  /^var\//,
];

/** One layer for the four: each is small, and a daemon that has it for one image has it for all. */
async function layers(report: Report): Promise<readonly Layer[]> {
  return [await debianBase(report), await debianPackages({ name: "metrics", packages, drop }, report)];
}

/** A program of Debian's where upstream's image has it, beside BusyBox's wget, which all of those images have. */
function entries(program: string, debian: string): TarEntry[] {
  return [
    ...["usr", "usr/bin", "usr/local", "usr/local/bin"].map((path) => ({ kind: "dir", path }) as const),
    { kind: "link", path: program, target: `/usr/bin/${debian}` },
    { kind: "link", path: "usr/local/bin/wget", target: "/usr/bin/busybox" },
  ];
}

/** `program` is its path in upstream's image; /bin is a link to /usr/bin here, so that one is written. */
function image(
  name: string,
  repositories: readonly string[],
  debian: string,
  program: string,
  config: ImageConfig,
): Recipe {
  return {
    name,
    repositories,
    kind: "real",
    folder: import.meta.dirname,
    layers,
    finish: () =>
      Promise.resolve({
        entries: entries(program.replace(/^\/bin\//, "usr/bin/").replace(/^\//, ""), debian),
        config: { ...config, Entrypoint: [program] },
      }),
  };
}

export const victoriametrics = image(
  "victoriametrics",
  ["docker.io/victoriametrics/victoria-metrics"],
  "victoria-metrics",
  "/victoria-metrics-prod",
  { ExposedPorts: { "8428/tcp": {} } },
);

export const nodeExporter = image(
  "node-exporter",
  ["docker.io/prom/node-exporter", "quay.io/prometheus/node-exporter"],
  "prometheus-node-exporter",
  "/bin/node_exporter",
  { User: "nobody", ExposedPorts: { "9100/tcp": {} } },
);

export const postgresExporter = image(
  "postgres-exporter",
  ["quay.io/prometheuscommunity/postgres-exporter", "docker.io/prometheuscommunity/postgres-exporter"],
  "prometheus-postgres-exporter",
  "/bin/postgres_exporter",
  { User: "nobody", ExposedPorts: { "9187/tcp": {} } },
);

export const redisExporter = image(
  "redis-exporter",
  ["docker.io/oliver006/redis_exporter"],
  "prometheus-redis-exporter",
  "/redis_exporter",
  { User: "59000:59000", ExposedPorts: { "9121/tcp": {} } },
);

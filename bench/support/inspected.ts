import { z } from "zod";

/** What a host runs, as a technician would describe it. */
export interface Described {
  readonly networks: readonly DescribedNetwork[];
  readonly services: readonly DescribedService[];
}

export interface DescribedNetwork {
  readonly name: string;
  readonly internal: boolean;
  /** Of its driver. */
  readonly options: Readonly<Record<string, string>>;
  readonly subnet: string;
  readonly gateway: string;
}

export interface DescribedPath {
  /** Absolute, on the host. */
  readonly path: string;
  readonly directory: boolean;
  /** Octal, such as `0700`. */
  readonly mode: string;
  readonly uid: string;
  readonly gid: string;
}

export interface DescribedService {
  readonly name: string;
  /** `repository@sha256:…` */
  readonly image: string;
  /** Parents first. */
  readonly paths: readonly DescribedPath[];
  /** Options of `community.docker.docker_container`. */
  readonly options: Readonly<Record<string, unknown>>;
}

const containerSchema = z.object({
  Name: z.string(),
  Created: z.string(),
  Image: z.string(),
  Config: z.object({
    User: z.string(),
    Cmd: z.array(z.string()).nullable(),
    Entrypoint: z.array(z.string()).nullish(),
    Env: z.array(z.string()),
    Labels: z.record(z.string(), z.string()),
    Healthcheck: z.object({
      Test: z.array(z.string()),
      Interval: z.number(),
      Timeout: z.number(),
      StartPeriod: z.number(),
      Retries: z.number(),
    }),
  }),
  HostConfig: z.object({
    Init: z.boolean(),
    ReadonlyRootfs: z.boolean(),
    NetworkMode: z.string(),
    CgroupnsMode: z.string().optional(),
    RestartPolicy: z.object({ Name: z.string() }),
    LogConfig: z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) }),
    CapAdd: z.array(z.string()).nullable(),
    CapDrop: z.array(z.string()),
    SecurityOpt: z.array(z.string()),
    Tmpfs: z.record(z.string(), z.string()).nullish(),
    PortBindings: z.record(z.string(), z.array(z.object({ HostIp: z.string(), HostPort: z.string() }))).nullable(),
    Memory: z.number(),
    MemorySwap: z.number(),
    NanoCpus: z.number(),
    PidsLimit: z.number(),
    Mounts: z.array(z.object({ Source: z.string(), Target: z.string(), ReadOnly: z.boolean().optional() })),
  }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()) }),
});

const imageSchema = z.object({
  Id: z.string(),
  RepoDigests: z.array(z.string()).min(1),
  Config: z.object({
    Cmd: z.array(z.string()).nullish(),
    Entrypoint: z.array(z.string()).nullish(),
    Env: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
});

const networkSchema = z.object({
  Name: z.string(),
  Internal: z.boolean(),
  Options: z.record(z.string(), z.string()).nullish(),
  IPAM: z.object({ Config: z.array(z.object({ Subnet: z.string(), Gateway: z.string() })).length(1) }),
});

type Container = z.infer<typeof containerSchema>;
type Image = z.infer<typeof imageSchema>;

/** `docker inspect` of containers, images and networks, and lines of `find -printf '%y %m %U %G %p\n'`. */
export interface Inspected {
  readonly containers: unknown;
  readonly images: unknown;
  readonly networks: unknown;
  readonly paths: string;
}

/** Describes a host by what is seen on it. What an image brings along is left out, as a technician would. */
export function describe({ containers, images, networks, paths }: Inspected): Described {
  const known = new Map(
    z
      .array(imageSchema)
      .parse(images)
      .map((image) => [image.Id, image]),
  );
  const found = parsePaths(paths);
  const services = z
    .array(containerSchema)
    .parse(containers)
    // As they came to be, so that each comes after what it needs.
    .toSorted((a, b) => (a.Created < b.Created ? -1 : 1))
    .map((container) => {
      const image = known.get(container.Image);
      if (!image) throw new Error(`${container.Name} runs ${container.Image}, which is not among the images`);
      const sources = container.HostConfig.Mounts.map(({ Source }) => Source);
      return {
        name: container.Name.replace(/^\//, ""),
        image: image.RepoDigests[0] ?? "",
        paths: found.filter(({ path }) => sources.some((source) => path === source || path.startsWith(`${source}/`))),
        options: optionsOf(container, image),
      };
    });
  return {
    networks: z
      .array(networkSchema)
      .parse(networks)
      .map(({ Name, Internal, Options, IPAM }) => ({
        name: Name,
        internal: Internal,
        options: Options ?? {},
        subnet: IPAM.Config[0]?.Subnet ?? "",
        gateway: IPAM.Config[0]?.Gateway ?? "",
      })),
    services,
  };
}

/** Sorted by path, so that a directory comes before what is in it. */
export function parsePaths(text: string): DescribedPath[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, type, mode = "", uid = "", gid = "", path = ""] =
        /^([df]) ([0-7]+) (\d+) (\d+) (.+)$/.exec(line) ?? fail(line);
      return { path, directory: type === "d", mode: mode.padStart(4, "0"), uid, gid };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function fail(line: string): never {
  throw new Error(`neither a file nor a directory: ${line}`);
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

function optionsOf({ Config, HostConfig, NetworkSettings }: Container, image: Image): Record<string, unknown> {
  const inherited = image.Config;
  const env = Config.Env.filter((entry) => !inherited.Env?.includes(entry)).toSorted();
  const labels = Object.entries(Config.Labels).filter(([key, value]) => inherited.Labels?.[key] !== value);
  const { Test, Interval, Timeout, StartPeriod, Retries } = Config.Healthcheck;
  const ports = Object.entries(HostConfig.PortBindings ?? {}).flatMap(([inside, outside]) =>
    outside.map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}:${inside}`),
  );
  return {
    ...(Config.Entrypoint && !same(Config.Entrypoint, inherited.Entrypoint) && { entrypoint: Config.Entrypoint }),
    ...(HostConfig.CgroupnsMode === "host" && { cgroupns_mode: "host" }),
    ...(Config.Cmd && !same(Config.Cmd, inherited.Cmd) && { command: Config.Cmd }),
    user: Config.User,
    ...(env.length > 0 && { env: Object.fromEntries(env.map(splitEntry)) }),
    restart_policy: HostConfig.RestartPolicy.Name,
    init: HostConfig.Init,
    network_mode: HostConfig.NetworkMode,
    networks: Object.keys(NetworkSettings.Networks)
      .toSorted()
      .map((name) => ({ name })),
    mounts: HostConfig.Mounts.map(({ Source, Target, ReadOnly }) => ({
      type: "bind",
      source: Source,
      target: Target,
      read_only: ReadOnly ?? false,
    })),
    ...(ports.length > 0 && { published_ports: ports }),
    healthcheck: {
      test: Test,
      interval: duration(Interval),
      timeout: duration(Timeout),
      start_period: duration(StartPeriod),
      retries: Retries,
    },
    ...(HostConfig.CapAdd && { capabilities: HostConfig.CapAdd }),
    cap_drop: HostConfig.CapDrop,
    security_opts: HostConfig.SecurityOpt,
    read_only: HostConfig.ReadonlyRootfs,
    ...(HostConfig.Tmpfs && { tmpfs: Object.entries(HostConfig.Tmpfs).map(([path, how]) => `${path}:${how}`) }),
    memory: `${HostConfig.Memory / 2 ** 20}M`,
    memory_swap: `${HostConfig.MemorySwap / 2 ** 20}M`,
    cpus: HostConfig.NanoCpus / 1e9,
    pids_limit: HostConfig.PidsLimit,
    log_driver: HostConfig.LogConfig.Type,
    log_options: HostConfig.LogConfig.Config,
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
  };
}

function splitEntry(entry: string): [string, string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}

/** Docker counts in nanoseconds, Ansible takes `90s`. */
const duration = (nanoseconds: number): string => `${nanoseconds / 1e9}s`;

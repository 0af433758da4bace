import type { ServiceContext } from "../model/context.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import type { NetworkName } from "../model/facets.ts";
import { memoryMb } from "./memory.ts";

export const DATA_ROOT = "/opt/vpai/data";
export const CONFIG_ROOT = "/opt/vpai/config";

/** Address of the host at which containers publish their ports: every one of IPv4. */
export const PUBLISH_ADDRESS = "0.0.0.0";

/** Everything about a container that is known before anything runs, in the words of the Docker provider. */
export interface ContainerPlan {
  readonly name: string;
  readonly user: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly cgroupHost: boolean;
  readonly envs: readonly string[];
  readonly networks: readonly NetworkName[];
  readonly hostNetwork: boolean;
  readonly devices: readonly string[];
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[];
  readonly ports: readonly {
    readonly ip: string;
    readonly internal: number;
    readonly external: number;
    readonly protocol: string;
  }[];
  readonly healthcheck: {
    readonly tests: readonly string[];
    readonly interval: string;
    readonly timeout: string;
    readonly retries: number;
    readonly startPeriod: string;
  };
  readonly capabilityAdds: readonly string[];
  readonly readOnly: boolean;
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly shmMb: number;
  readonly cpus: string;
  readonly pids: number;
  readonly destroyGraceSeconds: number;
  readonly gateSeconds: number;
}

/** The plan of one service's container. Same definition and context, same plan: nothing is read from elsewhere. */
export function planContainer(definition: ServiceDefinition, context: ServiceContext): ContainerPlan {
  const { name, user, health } = definition;
  const data = (definition.data ?? []).map(({ path, target }) => ({
    source: [DATA_ROOT, name, path].filter(Boolean).join("/"),
    target,
    readOnly: false,
  }));
  const config = definition.configDir
    ? [{ source: `${CONFIG_ROOT}/${name}`, target: definition.configDir, readOnly: true }]
    : [];
  const host = (definition.hostMounts ?? []).map(({ source, target }) => ({ source, target, readOnly: true }));
  const { command } = definition;
  return {
    name,
    user: `${user.uid}:${user.gid}`,
    ...(definition.entrypoint && { entrypoint: definition.entrypoint }),
    ...(command && { command: typeof command === "function" ? command(context) : command }),
    cgroupHost: definition.cgroup === "host",
    envs: Object.entries({ TZ: context.timezone, ...definition.environment?.(context) })
      .map(([key, value]) => `${key}=${value}`)
      .sort(),
    networks: [...definition.networks].sort(),
    hostNetwork: definition.hostNetwork !== undefined,
    devices: definition.devices ?? [],
    mounts: [...data, ...config, ...host],
    // On the server's own network there is nothing to publish.
    ports: (definition.hostNetwork === undefined ? (definition.publish ?? []) : []).map(
      ({ port, protocol, loopback }) => ({
        ip: loopback ? "127.0.0.1" : PUBLISH_ADDRESS,
        internal: port,
        external: port,
        protocol,
      }),
    ),
    healthcheck: {
      tests: health.test,
      interval: goDuration(health.intervalSeconds),
      timeout: goDuration(health.timeoutSeconds),
      retries: health.retries,
      startPeriod: goDuration(health.startPeriodSeconds),
    },
    // Docker reports them sorted under these names; anything else is a difference on every run.
    capabilityAdds: [...(definition.capabilities ?? [])].sort(),
    readOnly: (definition.readOnly ?? true) === true,
    tmpfs: definition.tmpfs,
    memoryMb: memoryMb(definition, context.size).limit,
    shmMb: definition.shmMb ?? 64,
    // As the provider reads it back: `1.0`, `0.5`.
    cpus: Number.isInteger(definition.cpus) ? definition.cpus.toFixed(1) : String(definition.cpus),
    pids: definition.pids,
    destroyGraceSeconds: definition.stopGraceSeconds,
    gateSeconds: health.deadlineSeconds,
  };
}

/** Seconds as Go prints them (`1m30s`): the form that Docker answers with, and so the only one that does not differ. */
export function goDuration(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return h > 0 ? `${h}h${m}m${s}s` : m > 0 ? `${m}m${s}s` : `${s}s`;
}

import type { Image } from "../../images.ts";
import type { ServiceContext } from "./context.ts";
import type {
  CacheSpec,
  Capability,
  CollectionSpec,
  DatabaseSpec,
  DataMount,
  HealthCheck,
  HostMount,
  HostScript,
  MemorySpec,
  MetricsSpec,
  NetworkName,
  NotApplicable,
  PublishedPort,
  RefusalLog,
  Reload,
  Reveal,
  RouteSpec,
  SecretSpec,
} from "./facets.ts";
import type { AlertSpec, DashboardSpec } from "./monitoring.ts";
import type { Backup, Login, SmokeCheck } from "./operations.ts";
import type { Provision, Readback } from "./provision.ts";
import type { ServiceSettings } from "./settings.ts";

/** A file that the container reads below {@link ServiceDefinition.configDir}. Owned by the container's user. */
export interface FileSpec {
  /** Relative to the configuration directory. */
  readonly path: string;
  /** @default "0400" */
  readonly mode?: string;
  /**
   * The running service picks up a change: through {@link ServiceDefinition.reload}, or by itself. A change of any other
   * file replaces the container.
   */
  readonly live?: true;
  /** The text. It reveals the same secrets for any of their values. */
  readonly content: (context: ServiceContext, reveal: Reveal) => string;
}

/** Everything about one product, as data. One folder a product in components/services. */
export interface ServiceDefinition {
  /** Also the container's name, and its host name on its networks. */
  readonly name: string;
  readonly image: Image;
  /** Whether a deployment with these settings has it. @default always */
  readonly enabled?: (settings: Pick<ServiceSettings, "vpn">) => boolean;
  /** Empty where it has the server's own network. */
  readonly networks: readonly NetworkName[];
  /** It has the server's own network, with all its interfaces; what it publishes, it listens on there. Says why. */
  readonly hostNetwork?: string;
  /** Port it listens on inside its networks. */
  readonly port?: number;
  /** Other ports it listens on there. */
  readonly internalPorts?: readonly number[];
  /** Ports published on the host. */
  readonly publish?: readonly PublishedPort[];
  /** The container's user, who owns its files on the host too. Root needs a reason. */
  readonly user: { readonly uid: number; readonly gid: number; readonly rootReason?: string };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[] | ((context: ServiceContext) => readonly string[]);
  readonly data?: readonly DataMount[];
  readonly hostMounts?: readonly HostMount[];
  /** Devices of the host, such as /dev/net/tun. */
  readonly devices?: readonly string[];
  /** "host" shows the control groups of all containers. @default "private" */
  readonly cgroup?: "host";
  /** Mount point of its files, read-only. */
  readonly configDir?: string;
  readonly files?: readonly FileSpec[] | ((context: ServiceContext) => readonly FileSpec[]);
  /** How a service that does not watch its live files picks them up. */
  readonly reload?: Reload;
  /** No secret among them: `docker inspect` shows them. Secrets go by file; see {@link file://../presets/env-file.ts}. */
  readonly environment?: (context: ServiceContext) => Readonly<Record<string, string>>;
  /** What `serviceSecrets` made. */
  readonly secrets?: Readonly<Record<string, SecretSpec>>;
  /** What it provides to the other services. */
  readonly provides?: Capability;
  readonly database?: DatabaseSpec;
  readonly cache?: CacheSpec;
  /** A virtual key for language models: the secret `<service>-llm` behind the prefix. */
  readonly llm?: { readonly dailyBudgetUsd: number };
  readonly vectors?: readonly CollectionSpec[];
  /** Services that have to be healthy first, besides the providers of its database and cache. */
  readonly needs?: readonly string[];
  /** Services that it starts after where the deployment has them. */
  readonly startsAfter?: readonly string[];
  /** Run on the server once what it starts after is ready, before its container is made; again when one of those is replaced. */
  readonly prepare?: (context: ServiceContext) => HostScript | undefined;
  readonly provision?: Provision;
  /** What it has taken from its live files, read by the server's inspection; {@link ServiceDefinition.reload} repairs it. */
  readonly readback?: (context: ServiceContext, reveal: Reveal) => Readback;
  readonly health: HealthCheck;
  /** Added after all are dropped; canonical `CAP_` names. @default none */
  readonly capabilities?: readonly string[];
  /** Whether the container's root file system is read-only, or why it is not. @default true */
  readonly readOnly?: true | { readonly exemptReason: string };
  /** Mount options by path. */
  readonly tmpfs: Readonly<Record<string, string>>;
  /** Limit of processes and threads. */
  readonly pids: number;
  readonly memory: MemorySpec;
  /** /dev/shm in MB; what lies in it counts within the memory limit. @default 64 */
  readonly shmMb?: number;
  readonly cpus: number;
  /** Grace period between SIGTERM and SIGKILL. */
  readonly stopGraceSeconds: number;
  readonly route?: RouteSpec;
  /** It reveals the same secrets for any of their values. */
  /** Its log of refused requests, with which the server bans clients. @default none */
  readonly refusals?: RefusalLog;
  readonly login?: (context: ServiceContext, reveal: Reveal) => Login;
  readonly metrics: MetricsSpec | NotApplicable;
  readonly alerts: readonly AlertSpec[];
  readonly dashboards: readonly DashboardSpec[];
  readonly backup: Backup | NotApplicable;
  readonly smoke: readonly [SmokeCheck, ...SmokeCheck[]];
  /** What to know before a newer version. */
  readonly upgrade: string;
}

import type { Route } from "../plan/routes.ts";
import type { AlertSpec, DashboardSpec } from "./monitoring.ts";
import type { DeploymentFacts } from "./requirements.ts";
import type { Backup, SmokeCheck } from "./operations.ts";
import type { HttpStep } from "./provision.ts";
import type { ServiceSettings } from "./settings.ts";

/** How much of everything a deployment gets. */
export type Size = "standard" | "small";

/** One value for both sizes, or one for each. */
export type BySize<T> = T | Readonly<Record<Size, T>>;

/** Memory of a container, in MB; docs/memory.md has the measurements. */
export interface MemorySpec {
  /** What it usually takes at work: the sum of all requests has to fit the server. */
  readonly requestMb: BySize<number>;
  /**
   * Where the kernel ends it. Has to hold its heap at the highest, the pages of its own program that are in use, and
   * one process of its health check.
   */
  readonly limitMb: BySize<number>;
}

export type NetworkName = "frontend" | "backend" | "monitoring" | "egress" | "socket";

/** A facet that a service has not, and why. */
export interface Without {
  readonly none: string;
}

/** What a service may know of the deployment it is part of. Plain: it decides text and structure. */
export interface ServiceContext {
  readonly domain: string;
  readonly timezone: string;
  readonly size: Size;
  /** Every route of the deployment; only the edge has use for it. */
  readonly routes: readonly Route[];
  readonly settings: ServiceSettings;
  /** What the other services declare and this one may have to provide: accounts, scrapes, collections, keys. */
  readonly facts: DeploymentFacts;
}

/** A value made once by the program and kept in its state. */
export interface SecretSpec {
  /** Letters and digits, at least one of each kind and case. @default 40 */
  readonly length?: number;
  /** True when data out in the world depends on it: it is then never made anew, whatever else changes. */
  readonly permanent: boolean;
}

/** Secrets by name, where their values are at hand. */
export type SecretValues = Readonly<Record<string, string>>;

/** A directory of the service's own, kept across containers and machines' restarts. */
export interface DataMount {
  /** Below /opt/vpai/data/<service>; empty for that directory itself. */
  readonly path: string;
  /** Where the container sees it. */
  readonly target: string;
  /** @default "0700" */
  readonly mode?: string;
}

/** Something of the host that the container sees, read-only. */
export interface HostMount {
  readonly source: string;
  readonly target: string;
  readonly why: string;
}

/** A file that the container reads below {@link ServiceDefinition.configDir}. Belongs to the container's user. */
export type FileSpec = {
  /** Relative to the configuration directory. */
  readonly path: string;
  /** @default "0400" */
  readonly mode?: string;
  /**
   * The running service takes a change of it: because {@link ServiceDefinition.reload} tells it to, or by itself. A
   * change of any other file replaces the container.
   */
  readonly live?: true;
} & (
  | { readonly text: (context: ServiceContext) => string }
  | {
      /** Names of the secrets that the text is made of; of this service's own, or of the facts it provides for. */
      readonly secrets: readonly string[];
      readonly render: (values: SecretValues, context: ServiceContext) => string;
    }
);

export interface HealthCheck {
  /** As Docker takes it: `["CMD", …]` or `["CMD-SHELL", "…"]`. */
  readonly test: readonly string[];
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly startPeriodSeconds: number;
  /** How long the gate waits for the first "healthy". */
  readonly deadlineSeconds: number;
}

/** Who may use a route: everybody, or only who is in the VPN. */
export type Audience = "public" | "vpn";

export interface RouteSpec {
  /** First label of the host name below the deployment's domain. */
  readonly label: string;
  readonly audience: Audience;
  /** What tells that the service can answer; asked actively, so that requests wait while it is replaced. */
  readonly readiness: string;
  /** Paths that are answered 404 at the edge, as Caddy matches them (`/metrics`, `/debug/*`). */
  readonly deny?: readonly string[];
  /** How long a request waits for a service that is being replaced. @default 60 */
  readonly holdSeconds?: number;
}

/** Where the service tells its metrics, in Prometheus' text format. */
export interface MetricsSpec {
  /** @default "/metrics" */
  readonly path?: string;
  /** @default the service's port */
  readonly port?: number;
  /** Name of the secret that is the bearer token. */
  readonly bearer?: string;
}

/** What makes the running service take its live files. */
export interface Reload {
  /** Run on the host before the new files count; `{dir}` is their directory, `{image}` the service's image. */
  readonly validate?: readonly string[];
  /** Run in the container once they count, unless it is about to be replaced (another image, or another file that is not live). */
  readonly argv: readonly string[];
}

/** What is set in the service over its own API, once it is healthy and whenever it changes. */
export interface Provision {
  readonly port: number;
  /** Names of the secrets that the steps are made of. */
  readonly secrets: (context: ServiceContext) => readonly string[];
  readonly steps: (values: SecretValues, context: ServiceContext) => readonly HttpStep[];
}

/** A vector collection in Qdrant that a service needs. */
export interface CollectionSpec {
  readonly name: string;
  /** Numbers in a vector. */
  readonly dimensions: number;
  readonly distance: "Cosine" | "Dot" | "Euclid";
}

/** Everything about one product, as data. One file a product in components/services. */
export interface ServiceDefinition {
  /** Also the container's name, and its host name on its networks. */
  readonly name: string;
  /** `repository:tag@sha256:…`, out of components/images.ts. */
  readonly image: string;
  readonly networks: readonly NetworkName[];
  /** Port it listens on inside its networks. */
  readonly port?: number;
  /** Other ports it listens on there. */
  readonly morePorts?: readonly number[];
  /** Ports open to the world. Everything else stays inside. */
  readonly publish?: readonly { readonly port: number; readonly protocol: "tcp" | "udp" }[];
  /** The container's user: who owns its files on the host too. Root needs a reason. */
  readonly user: { readonly uid: number; readonly gid: number; readonly rootBecause?: string };
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[] | ((context: ServiceContext) => readonly string[]);
  readonly data?: readonly DataMount[];
  readonly hostMounts?: readonly HostMount[];
  /** "host" shows the control groups of all containers. @default "private" */
  readonly cgroup?: "host";
  /** Where the container sees its files, read-only. Needed when it has any. */
  readonly configDir?: string;
  readonly files?: readonly FileSpec[] | ((context: ServiceContext) => readonly FileSpec[]);
  /** How a service that does not look by itself takes its live files. */
  readonly reload?: Reload;
  /** No secret among them: `docker inspect` shows them. Secrets go by file; see {@link file://./env-file.ts}. */
  readonly environment?: (context: ServiceContext) => Readonly<Record<string, string>>;
  /** By full name, which begins with the service's. */
  readonly secrets?: Readonly<Record<string, SecretSpec>>;
  /** A PostgreSQL database and a role of its own, both called `name`; the password is the secret `<service>-database`. */
  readonly database?: {
    readonly name: string;
    readonly extensions?: readonly string[];
    /** Roles whose rights it has, such as pg_monitor. */
    readonly memberOf?: readonly string[];
  };
  /** A Redis account called as the service; the password is the secret `<service>-redis`. */
  readonly redis?: {
    /** Key patterns it may touch, such as `litellm:*`. */
    readonly keys: readonly string[];
    /** Rules as in an ACL, instead of everything that is neither administrative nor dangerous. */
    readonly rules?: readonly string[];
  };
  /** A virtual key of LiteLLM: the secret `<service>-llm` behind `sk-`. */
  readonly llm?: { readonly dailyBudgetUsd: number };
  readonly vectors?: readonly CollectionSpec[];
  /** Services that have to be healthy first. */
  readonly needs?: readonly string[];
  readonly provision?: Provision;
  readonly health: HealthCheck;
  /** Added after all are dropped; canonical `CAP_` names. @default none */
  readonly capabilities?: readonly string[];
  /** Whether the container's own file system cannot be written to, or why it can. @default true */
  readonly readOnly?: true | { readonly no: string };
  /** Mount options by path. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** Limit of processes and threads. */
  readonly pids: number;
  readonly memory: MemorySpec;
  /** /dev/shm in MB; what lies in it counts within the memory limit. @default 64 */
  readonly shmMb?: number;
  readonly cpus: number;
  /** What it gets to end in order before it is killed. */
  readonly stopGraceSeconds: number;
  readonly route?: RouteSpec;
  readonly metrics: MetricsSpec | Without;
  readonly alerts: readonly AlertSpec[];
  readonly dashboards: readonly DashboardSpec[];
  readonly backup: Backup | Without;
  /** What a person or a script asks to see that it does its job. */
  readonly smoke: readonly [SmokeCheck, ...SmokeCheck[]];
  /** What to know before a newer version. */
  readonly upgrade: string;
}

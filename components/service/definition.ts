import type { Route } from "../edge/routes.ts";

/** How much of everything a deployment gets. */
export type Size = "standard" | "small";

export type NetworkName = "frontend" | "backend" | "monitoring" | "egress";

/** What a service may know of the deployment it is part of. Plain: it decides text and structure. */
export interface ServiceContext {
  readonly domain: string;
  readonly timezone: string;
  readonly size: Size;
  /** Every route of the deployment; only the edge has use for it. */
  readonly routes: readonly Route[];
}

/** A value made once by the program and kept in its state. */
export interface SecretSpec {
  /** Letters and digits. @default 40 */
  readonly length?: number;
  /** True when data out in the world depends on it: it is then never made anew, whatever else changes. */
  readonly permanent: boolean;
}

/** A directory of the service's own, kept across containers and machines' restarts. */
export interface DataMount {
  /** Below /opt/vpai/data/<service>; empty for that directory itself. */
  readonly path: string;
  /** Where the container sees it. */
  readonly target: string;
  /** @default "0700" */
  readonly mode?: string;
}

/** A file that the container reads below {@link ServiceDefinition.configDir}. Belongs to the container's user. */
export type FileSpec = {
  /** Relative to the configuration directory. */
  readonly path: string;
  /** @default "0400" */
  readonly mode?: string;
} & (
  | { readonly text: (context: ServiceContext) => string }
  | {
      /** Names of the secrets that the text is made of. */
      readonly secrets: readonly string[];
      readonly render: (values: Readonly<Record<string, string>>, context: ServiceContext) => string;
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
  /** How long a request waits for a service that is being replaced. @default 60 */
  readonly holdSeconds?: number;
}

/** What the service wants the edge to do instead of being replaced when its files change. */
export interface Reload {
  /** Run on the host before the new files count; `{dir}` is their directory, `{image}` the service's image. */
  readonly validate: readonly string[];
  /** Run in the container once they count. */
  readonly argv: readonly string[];
}

/** Everything about one product, as data. One file a product in components/services. */
export interface ServiceDefinition {
  /** Also the container's name, and its host name on its networks. */
  readonly name: string;
  /** `repository:tag@sha256:…` */
  readonly image: string;
  readonly networks: readonly NetworkName[];
  /** Port it listens on inside its networks. */
  readonly port?: number;
  /** Ports open to the world. Everything else stays inside. */
  readonly publish?: readonly { readonly port: number; readonly protocol: "tcp" | "udp" }[];
  /** The container's user: who owns its files on the host too. */
  readonly user: { readonly uid: number; readonly gid: number };
  readonly command?: readonly string[];
  readonly data?: readonly DataMount[];
  /** Where the container sees its files, read-only. Needed when it has any. */
  readonly configDir?: string;
  readonly files?: readonly FileSpec[];
  /** Changes in files reload the service instead of replacing it. */
  readonly reload?: Reload;
  readonly environment?: (context: ServiceContext) => Readonly<Record<string, string>>;
  /** By full name, which begins with the service's. */
  readonly secrets?: Readonly<Record<string, SecretSpec>>;
  /** A PostgreSQL database and a role of its own, both called `name`; the password is the secret `<service>-database`. */
  readonly database?: { readonly name: string; readonly extensions?: readonly string[] };
  /** Services that have to be healthy first. */
  readonly needs?: readonly string[];
  readonly health: HealthCheck;
  /** Added after all are dropped; canonical `CAP_` names. @default none */
  readonly capabilities?: readonly string[];
  /** @default true */
  readonly readOnly?: boolean;
  /** Mount options by path. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** Limit of processes and threads. */
  readonly pids: number;
  readonly memoryMb: Readonly<Record<Size, number>>;
  readonly cpus: number;
  /** What it gets to end in order before it is killed. */
  readonly stopGraceSeconds: number;
  readonly route?: RouteSpec;
  /** What has to be saved, and how it is had in a consistent state. */
  readonly backup?: { readonly kind: "database" | "directory" | "none"; readonly note: string };
  /** What a person or a script asks to see that it works. */
  readonly smoke?: { readonly url: (context: ServiceContext) => string; readonly expect: number };
}

/** How much of everything a deployment gets. */
export type Size = "standard" | "small";

/** One value for both sizes, or one for each. */
export type BySize<T> = T | Readonly<Record<Size, T>>;

/** Memory of a container, in MB; docs/memory.md has the measurements. */
export interface MemorySpec {
  /** Typical use at work: the sum of all requests has to fit the server. */
  readonly requestMb: BySize<number>;
  /**
   * Where the kernel kills it. Holds its peak heap, the pages of its own program that are in use, and one process of its
   * health check.
   */
  readonly limitMb: BySize<number>;
}

export type NetworkName = "frontend" | "backend" | "monitoring" | "egress" | "socket";

/** A facet that does not apply to a service, with the reason. */
export interface NotApplicable {
  readonly reason: string;
}

declare const secretRef: unique symbol;
/**
 * The name of a secret. Only {@link file://./secrets.ts} makes one, so a misspelt name does not compile: a string is no
 * reference.
 */
export type SecretRef = string & { readonly [secretRef]: true };

/** The value of a secret, where values are at hand. Fails on one that the deployment does not have. */
export type Reveal = (secret: SecretRef) => string;

/** A value generated once by the program and kept in its state. */
export interface SecretSpec {
  /** Letters and digits, at least one of each kind and case. @default 40 */
  readonly length?: number;
  /** Never rotated: existing data is encrypted with it. */
  readonly permanent: boolean;
}

/** A directory of the service's own, kept across containers and reboots. */
export interface DataMount {
  /** Below /opt/vpai/data/<service>; empty for that directory itself. */
  readonly path: string;
  /** Path in the container. */
  readonly target: string;
  /** @default "0700" */
  readonly mode?: string;
}

/** A path of the host, mounted read-only. */
export interface HostMount {
  readonly source: string;
  readonly target: string;
  readonly why: string;
}

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

/** The clients a route serves: everyone, or VPN clients only. */
export type Audience = "public" | "vpn";

/** A port of the container, published on the host under the same number. */
export interface PublishedPort {
  readonly port: number;
  readonly protocol: "tcp" | "udp";
  /** The clients that the firewalls let reach it. @default "public" */
  readonly audience?: Audience;
  /** Reached from the server itself alone: published at 127.0.0.1. @default false */
  readonly loopback?: true;
}

/** A script for `sh` on the server. No secret in it: a failure prints it. */
export interface HostScript {
  readonly create: string;
  readonly stdin: string;
}

export interface RouteSpec {
  /** First label of the host name below the deployment's domain. */
  readonly subdomain: string;
  readonly audience: Audience;
  /** Answers 2xx once the service accepts requests; probed actively, so that requests wait during a replacement. */
  readonly healthPath: string;
  /** Paths answered with 404 at the edge, as Caddy matches them (`/metrics`, `/debug/*`). */
  readonly denyPaths?: readonly string[];
  /**
   * Paths where a GET does something, as Caddy matches them. The edge repeats a GET whose connection broke without an
   * answer, as a client would, but not there. @default none
   */
  readonly oncePaths?: readonly string[];
  /** How long a request waits while the service is replaced. @default 60 */
  readonly upstreamWaitSeconds?: number;
}

/** A log of the service in which the requests that it has refused are found, for the server to ban who makes too many. */
export interface RefusalLog {
  /** Below /opt/vpai/data/<service>, in a directory of its own. */
  readonly path: string;
  /** fail2ban's regular expression of a refused request; `<ADDR>` is the client. A client's own words must not match it. */
  readonly refusal: string;
  /** fail2ban's pattern of the line's time. */
  readonly time: string;
  /** Refused requests of one client within ten minutes that are too many. */
  readonly limit: number;
}

/** Prometheus scrape endpoint. */
export interface MetricsSpec {
  /** @default "/metrics" */
  readonly path?: string;
  /** @default the service's port */
  readonly port?: number;
  /** The bearer token. */
  readonly bearer?: SecretRef;
}

/** How the running service picks up its live files. */
export interface Reload {
  /** Run on the host before the new files are installed; `{dir}` is their directory, `{image}` the service's image. */
  readonly validate?: readonly string[];
  /** Run in the container after they are installed, unless it is about to be replaced (another image, or a changed file that is not live). */
  readonly argv: readonly string[];
}

/** What one service may provide to the others. */
export type Capability = "database" | "cache" | "llm" | "vectors";

/** A database and a role of its own, both called `name`; the password is the secret `<service>-database`. */
export interface DatabaseSpec {
  readonly name: string;
  readonly extensions?: readonly string[];
  /** Roles whose rights it has, such as pg_monitor. */
  readonly memberOf?: readonly string[];
}

/** An account of the cache, named after the service; the password is the secret `<service>-cache`. */
export interface CacheSpec {
  /** Key patterns it may use, such as `litellm:*`. */
  readonly keys: readonly string[];
  /** ACL rules. @default everything that is neither administrative nor dangerous */
  readonly rules?: readonly string[];
}

/** A vector collection. */
export interface CollectionSpec {
  readonly name: string;
  /** Numbers in a vector. */
  readonly dimensions: number;
  readonly distance: "Cosine" | "Dot" | "Euclid";
}

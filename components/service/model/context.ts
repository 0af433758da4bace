import type { Audience, CollectionSpec, SecretRef, Size } from "./facets.ts";
import type { DashboardSpec } from "./monitoring.ts";
import type { PublicAddress } from "./public-origin.ts";
import type { ServiceSettings } from "./settings.ts";

/** One host name and its upstream. */
export interface Route {
  readonly host: string;
  /** See `publicOrigin`. */
  readonly origin: string;
  readonly service: string;
  /** `name:port` on a network shared with the edge. */
  readonly upstream: string;
  readonly audience: Audience;
  readonly healthPath: string;
  readonly upstreamWaitSeconds: number;
  /** Paths answered with 404, as Caddy matches them. */
  readonly denyPaths: readonly string[];
  /** Paths whose requests are never sent twice, as Caddy matches them. */
  readonly oncePaths: readonly string[];
}

/** One scrape target. */
export interface Scrape {
  readonly service: string;
  /** `name:port`. */
  readonly address: string;
  readonly path: string;
  /** The bearer token. */
  readonly bearer?: SecretRef;
}

/** One account of the cache. */
export interface CacheUser {
  readonly service: string;
  readonly password: SecretRef;
  readonly keys: readonly string[];
  readonly rules: readonly string[];
}

/** One virtual key for language models. */
export interface LlmClient {
  readonly service: string;
  /** The part of the key that follows the prefix; see `llmKey`. */
  readonly secret: SecretRef;
  readonly dailyBudgetUsd: number;
}

/** One image that is watched for newer versions. */
export interface WatchedImage {
  readonly service: string;
  /** `host/path`. */
  readonly repository: string;
  readonly tag: string;
  /** Regular expression of the tags that are versions of the same kind. */
  readonly versions: string;
}

/** Everything that the services of a deployment require of the few that provide it. */
export interface Requirements {
  readonly scrapes: readonly Scrape[];
  readonly cacheUsers: readonly CacheUser[];
  readonly llmClients: readonly LlmClient[];
  readonly collections: readonly (CollectionSpec & { readonly service: string })[];
  readonly dashboards: readonly DashboardSpec[];
  readonly images: readonly WatchedImage[];
}

/** What a service may know of its deployment. Plain: it decides text and structure. */
export interface ServiceContext extends PublicAddress {
  readonly timezone: string;
  readonly size: Size;
  /** Where the edge gets its certificates from (RFC 8555); absent: its own authority. */
  readonly acmeDirectory?: string;
  /** Every route of the deployment, for the edge. */
  readonly routes: readonly Route[];
  readonly settings: ServiceSettings;
  readonly requirements: Requirements;
}

import type { DashboardSpec } from "./monitoring.ts";
import type { CollectionSpec } from "./definition.ts";

/** One endpoint to be scraped. */
export interface Scrape {
  readonly service: string;
  /** `name:port`. */
  readonly address: string;
  readonly path: string;
  /** Name of the secret that is the bearer token. */
  readonly bearer?: string;
}

/** One account of Redis. */
export interface RedisUser {
  readonly service: string;
  /** Name of the secret that is the password. */
  readonly secret: string;
  readonly keys: readonly string[];
  readonly rules: readonly string[];
}

/** One virtual key of LiteLLM. */
export interface LlmClient {
  readonly service: string;
  /** Name of the secret that follows `sk-`. */
  readonly secret: string;
  readonly dailyBudgetUsd: number;
}

/** One image that is watched for newer versions. */
export interface WatchedImage {
  readonly service: string;
  /** With the registry's host. */
  readonly repository: string;
  readonly tag: string;
  /** Matches the tags that are versions of the same kind. */
  readonly versions: string;
}

/** The union of what all services of a deployment declare, for the few that provide it. */
export interface DeploymentFacts {
  readonly scrapes: readonly Scrape[];
  readonly redisUsers: readonly RedisUser[];
  readonly llmClients: readonly LlmClient[];
  readonly collections: readonly (CollectionSpec & { readonly service: string })[];
  readonly dashboards: readonly DashboardSpec[];
  readonly images: readonly WatchedImage[];
}

export const redisSecret = (service: string): string => `${service}-redis`;
export const llmSecret = (service: string): string => `${service}-llm`;
/** LiteLLM wants its keys to begin so. */
export const llmKey = (secret: string): string => `sk-${secret}`;

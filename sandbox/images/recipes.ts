import { alloyFake } from "../fakes/alloy/recipe.ts";
import { grafanaFake } from "../fakes/grafana/recipe.ts";
import { lokiFake } from "../fakes/loki/recipe.ts";
import { qdrantFake } from "../fakes/qdrant/recipe.ts";
import { caddy } from "./caddy/recipe.ts";
import { cadvisor } from "./cadvisor/recipe.ts";
import { diun } from "./diun/recipe.ts";
import { headscale } from "./headscale/recipe.ts";
import { litellm } from "./litellm/recipe.ts";
import { nodeExporter, postgresExporter, redisExporter, victoriametrics } from "./metrics/recipe.ts";
import { n8n } from "./n8n/recipe.ts";
import { openclaw } from "./openclaw/recipe.ts";
import { postgres } from "./postgres/recipe.ts";
import type { Recipe } from "./recipe.ts";
import { redis } from "./redis/recipe.ts";
import { socketProxy } from "./socket-proxy/recipe.ts";
import { tailscale } from "./tailscale/recipe.ts";

/** Every image the sandbox can make. */
export const recipes: readonly Recipe[] = [
  postgres,
  redis,
  caddy,
  n8n,
  victoriametrics,
  nodeExporter,
  postgresExporter,
  redisExporter,
  qdrantFake,
  socketProxy,
  diun,
  lokiFake,
  alloyFake,
  grafanaFake,
  cadvisor,
  litellm,
  openclaw,
  headscale,
  tailscale,
];

import { alloyDouble } from "../doubles/alloy/recipe.ts";
import { cadvisorDouble } from "../doubles/cadvisor/recipe.ts";
import { diunDouble } from "../doubles/diun/recipe.ts";
import { grafanaDouble } from "../doubles/grafana/recipe.ts";
import { litellmDouble } from "../doubles/litellm/recipe.ts";
import { lokiDouble } from "../doubles/loki/recipe.ts";
import { n8nDouble } from "../doubles/n8n/recipe.ts";
import { openclawDouble } from "../doubles/openclaw/recipe.ts";
import { qdrantDouble } from "../doubles/qdrant/recipe.ts";
import { caddy } from "./caddy/recipe.ts";
import { nodeExporter, postgresExporter, redisExporter, victoriametrics } from "./metrics/recipe.ts";
import { n8n } from "./n8n/recipe.ts";
import { openclaw } from "./openclaw/recipe.ts";
import { postgres } from "./postgres/recipe.ts";
import type { Recipe } from "./recipe.ts";
import { redis } from "./redis/recipe.ts";
import { socketProxy } from "./socket-proxy/recipe.ts";

/** Every image the sandbox can make. Where a product has two, the double is the default and the real one is `full`. */
export const recipes: readonly Recipe[] = [
  postgres,
  redis,
  caddy,
  n8nDouble,
  n8n,
  victoriametrics,
  nodeExporter,
  postgresExporter,
  redisExporter,
  qdrantDouble,
  socketProxy,
  diunDouble,
  lokiDouble,
  alloyDouble,
  grafanaDouble,
  cadvisorDouble,
  litellmDouble,
  openclawDouble,
  openclaw,
];

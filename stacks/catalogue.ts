import { alloy } from "../components/services/alloy.ts";
import { cadvisor } from "../components/services/cadvisor.ts";
import { caddy } from "../components/services/caddy.ts";
import { diun } from "../components/services/diun.ts";
import { grafana } from "../components/services/grafana.ts";
import { litellm } from "../components/services/litellm.ts";
import { loki } from "../components/services/loki.ts";
import { n8n } from "../components/services/n8n.ts";
import { nodeExporter } from "../components/services/node-exporter.ts";
import { openclaw } from "../components/services/openclaw.ts";
import { postgresExporter } from "../components/services/postgres-exporter.ts";
import { postgresql } from "../components/services/postgresql.ts";
import { qdrant } from "../components/services/qdrant.ts";
import { redisExporter } from "../components/services/redis-exporter.ts";
import { redis } from "../components/services/redis.ts";
import { socketProxy } from "../components/services/socket-proxy.ts";
import { victoriametrics } from "../components/services/victoriametrics.ts";
import type { ServiceDefinition } from "../components/service/definition.ts";

/** Every service of a deployment. One line a service. */
export const catalogue: readonly ServiceDefinition[] = [
  postgresql,
  redis,
  qdrant,
  n8n,
  litellm,
  openclaw,
  caddy,
  victoriametrics,
  loki,
  alloy,
  cadvisor,
  grafana,
  diun,
  socketProxy,
  nodeExporter,
  postgresExporter,
  redisExporter,
];

/** The image of each service as pinned, with the settings' replacements. */
export function imagePins(
  replacements: Readonly<Record<string, string>> = {},
  definitions: readonly ServiceDefinition[] = catalogue,
): Record<string, string> {
  return Object.fromEntries(definitions.map(({ name, image }) => [name, replacements[name] ?? image]));
}

import { alloy } from "../components/services/alloy/service.ts";
import { cadvisor } from "../components/services/cadvisor/service.ts";
import { caddy } from "../components/services/caddy/service.ts";
import { diun } from "../components/services/diun/service.ts";
import { grafana } from "../components/services/grafana/service.ts";
import { headscale } from "../components/services/headscale/service.ts";
import { litellm } from "../components/services/litellm/service.ts";
import { loki } from "../components/services/loki/service.ts";
import { n8n } from "../components/services/n8n/service.ts";
import { nodeExporter } from "../components/services/node-exporter/service.ts";
import { openclaw } from "../components/services/openclaw/service.ts";
import { postgresExporter } from "../components/services/postgres-exporter/service.ts";
import { postgresql } from "../components/services/postgresql/service.ts";
import { qdrant } from "../components/services/qdrant/service.ts";
import { redisExporter } from "../components/services/redis-exporter/service.ts";
import { redis } from "../components/services/redis/service.ts";
import { socketProxy } from "../components/services/socket-proxy/service.ts";
import { tailscale } from "../components/services/tailscale/service.ts";
import { victoriametrics } from "../components/services/victoriametrics/service.ts";
import type { ServiceDefinition } from "../components/service/model/definition.ts";
import type { ServiceSettings } from "../components/service/model/settings.ts";

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
  headscale,
  tailscale,
];

/** The services that a deployment with these settings has. */
export const deployedServices = (
  settings: { readonly disabledServices: readonly string[]; readonly vpn: ServiceSettings["vpn"] },
  all: readonly ServiceDefinition[] = catalogue,
): ServiceDefinition[] =>
  all.filter(
    ({ name, enabled }) => !settings.disabledServices.includes(name) && (enabled === undefined || enabled(settings)),
  );

/** The image of each service: the override of the settings, else the pinned one. */
export function imagePins(
  overrides: Readonly<Record<string, string>> = {},
  definitions: readonly ServiceDefinition[] = catalogue,
): Record<string, string> {
  return Object.fromEntries(definitions.map(({ name, image }) => [name, overrides[name] ?? image.pin]));
}

import { caddy } from "../components/services/caddy.ts";
import { n8n } from "../components/services/n8n.ts";
import { postgresql } from "../components/services/postgresql.ts";
import { redis } from "../components/services/redis.ts";
import type { ServiceDefinition } from "../components/service/definition.ts";

/** Every service of a deployment. One line a service. */
export const catalogue: readonly ServiceDefinition[] = [postgresql, redis, n8n, caddy];

/** The image of each service as pinned, with the settings' replacements. */
export function imagePins(
  replacements: Readonly<Record<string, string>> = {},
  definitions: readonly ServiceDefinition[] = catalogue,
): Record<string, string> {
  return Object.fromEntries(definitions.map(({ name, image }) => [name, replacements[name] ?? image]));
}

import { parseImageRef } from "../../../shared/image-ref.ts";
import type { Requirements } from "../model/context.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import { cacheSecret, llmSecret } from "../model/secrets.ts";

/** Rules of a cache account that declares none: everything that cannot harm another account. */
const CACHE_RULES = ["+@all", "-@admin", "-@dangerous"] as const;

/** Collects what the services declare. `pins` are the images of this deployment, by service. */
export function collectRequirements(
  definitions: readonly ServiceDefinition[],
  pins: Readonly<Record<string, string>>,
): Requirements {
  return {
    scrapes: definitions.flatMap(({ name, port, metrics }) =>
      "reason" in metrics
        ? []
        : [
            {
              service: name,
              address: `${name}:${metrics.port ?? port}`,
              path: metrics.path ?? "/metrics",
              ...(metrics.bearer && { bearer: metrics.bearer }),
            },
          ],
    ),
    cacheUsers: definitions.flatMap(({ name, cache }) =>
      cache
        ? [{ service: name, password: cacheSecret(name), keys: cache.keys, rules: cache.rules ?? [...CACHE_RULES] }]
        : [],
    ),
    llmClients: definitions.flatMap(({ name, llm }) =>
      llm ? [{ service: name, secret: llmSecret(name), dailyBudgetUsd: llm.dailyBudgetUsd }] : [],
    ),
    collections: definitions.flatMap(({ name, vectors }) =>
      (vectors ?? []).map((each) => ({ ...each, service: name })),
    ),
    dashboards: definitions.flatMap(({ dashboards }) => dashboards),
    images: definitions.map(({ name, image }) => {
      const { repository, tag } = parseImageRef(pins[name] ?? image.pin);
      return { service: name, repository, tag, versions: image.versions };
    }),
  };
}

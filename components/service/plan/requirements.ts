import { parseImageRef } from "../../../shared/image-ref.ts";
import { images } from "../../images.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import { type DeploymentFacts, llmSecret, redisSecret } from "../model/requirements.ts";

/** What an account of Redis may do unless its service says otherwise: everything that cannot hurt another. */
const REDIS_RULES = ["+@all", "-@admin", "-@dangerous"] as const;

/** The union of what the services declare. `pins` are the images of this deployment, by service. */
export function planFacts(
  definitions: readonly ServiceDefinition[],
  pins: Readonly<Record<string, string>>,
): DeploymentFacts {
  return {
    scrapes: definitions.flatMap(({ name, port, metrics }) =>
      "none" in metrics
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
    redisUsers: definitions.flatMap(({ name, redis }) =>
      redis
        ? [{ service: name, secret: redisSecret(name), keys: redis.keys, rules: redis.rules ?? [...REDIS_RULES] }]
        : [],
    ),
    llmClients: definitions.flatMap(({ name, llm }) =>
      llm ? [{ service: name, secret: llmSecret(name), dailyBudgetUsd: llm.dailyBudgetUsd }] : [],
    ),
    collections: definitions.flatMap(({ name, vectors }) =>
      (vectors ?? []).map((each) => ({ ...each, service: name })),
    ),
    dashboards: definitions.flatMap(({ dashboards }) => dashboards),
    images: definitions.flatMap(({ name }) => {
      const known = (images as Readonly<Record<string, { readonly versions: string }>>)[name];
      const pin = pins[name];
      if (!known || !pin) return [];
      const { repository, tag } = parseImageRef(pin);
      return [{ service: name, repository, tag, versions: known.versions }];
    }),
  };
}

/** One port that a service can be reached at from another. */
export interface Connection {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

/** Ports that a service listens on inside its networks. */
export function portsOf({ port, morePorts, publish, metrics }: ServiceDefinition): number[] {
  const tcp = (publish ?? []).flatMap((each) => (each.protocol === "tcp" ? [each.port] : []));
  const told = "none" in metrics || metrics.port === undefined ? [] : [metrics.port];
  return [...new Set([...(port === undefined ? [] : [port]), ...(morePorts ?? []), ...tcp, ...told])].sort(
    (a, b) => a - b,
  );
}

/**
 * Who can connect to whom: whoever shares a network, at every port. `isolated` networks lead out and keep their
 * members apart. Everything that is not in this list is refused by the host.
 */
export function planConnections(
  definitions: readonly ServiceDefinition[],
  isolated: ReadonlySet<string>,
): Connection[] {
  return definitions.flatMap((from) =>
    definitions
      .filter((to) => to !== from && to.networks.some((n) => !isolated.has(n) && from.networks.includes(n)))
      .flatMap((to) => portsOf(to).map((port) => ({ from: from.name, to: to.name, port }))),
  );
}

import type { ServiceContext } from "../model/context.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import type { Audience, Reveal } from "../model/facets.ts";
import type { Login } from "../model/operations.ts";

/** Where a service is reached and how an operator logs in to it. */
export interface Access extends Login {
  readonly service: string;
  /** An address for a browser; `name:port` on the server's own networks where it has no route. */
  readonly address: string;
  readonly audience: Audience | "inside";
}

/** One row for each service that has a route or asks for a login. */
export function planAccess(
  definitions: readonly ServiceDefinition[],
  context: ServiceContext,
  reveal: Reveal,
): Access[] {
  return definitions.flatMap(({ name, port, login }) => {
    const route = context.routes.find(({ service }) => service === name);
    if (!route && !login) return [];
    const place = route
      ? { address: `${route.origin}/`, audience: route.audience }
      : { address: port === undefined ? name : `${name}:${port}`, audience: "inside" as const };
    return [{ service: name, address: place.address, audience: place.audience, ...login?.(context, reveal) }];
  });
}

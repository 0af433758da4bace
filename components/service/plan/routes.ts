import type { Route } from "../model/context.ts";
import { type PublicAddress, publicOrigin } from "../model/public-origin.ts";
import type { ServiceDefinition } from "../model/definition.ts";

/** The routes of all services, sorted by host name. */
export function planRoutes(definitions: readonly ServiceDefinition[], address: PublicAddress): Route[] {
  return definitions
    .flatMap(({ name, port, route }) =>
      route === undefined || port === undefined
        ? []
        : [
            {
              host: `${route.subdomain}.${address.domain}`,
              origin: publicOrigin(address, route.subdomain),
              service: name,
              upstream: `${name}:${port}`,
              audience: route.audience,
              healthPath: route.healthPath,
              upstreamWaitSeconds: route.upstreamWaitSeconds ?? 60,
              denyPaths: route.denyPaths ?? [],
              oncePaths: route.oncePaths ?? [],
            },
          ],
    )
    .sort((a, b) => (a.host < b.host ? -1 : 1));
}

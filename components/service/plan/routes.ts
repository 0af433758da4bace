import type { Audience, ServiceDefinition } from "../model/definition.ts";

/** One host name and where its requests go. */
export interface Route {
  readonly host: string;
  readonly service: string;
  /** `name:port` on the backend network. */
  readonly upstream: string;
  readonly audience: Audience;
  readonly readiness: string;
  readonly holdSeconds: number;
  /** Paths that are answered 404, as Caddy matches them. */
  readonly deny: readonly string[];
}

/** The routes of all services, by host name. */
export function planRoutes(definitions: readonly ServiceDefinition[], domain: string): Route[] {
  return definitions
    .flatMap(({ name, port, route }) =>
      route === undefined || port === undefined
        ? []
        : [
            {
              host: `${route.label}.${domain}`,
              service: name,
              upstream: `${name}:${port}`,
              audience: route.audience,
              readiness: route.readiness,
              holdSeconds: route.holdSeconds ?? 60,
              deny: route.deny ?? [],
            },
          ],
    )
    .sort((a, b) => (a.host < b.host ? -1 : 1));
}

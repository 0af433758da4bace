import type { ServiceDefinition } from "../model/definition.ts";

/** One port of a service that another one can reach. */
export interface Connection {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

/** TCP ports that a service listens on inside its networks. */
export function portsOf({ port, internalPorts, publish, metrics }: ServiceDefinition): number[] {
  const published = (publish ?? []).flatMap((each) => (each.protocol === "tcp" ? [each.port] : []));
  const scraped = "reason" in metrics || metrics.port === undefined ? [] : [metrics.port];
  const own = port === undefined ? [] : [port];
  return [...new Set([...own, ...(internalPorts ?? []), ...published, ...scraped])].sort((a, b) => a - b);
}

/**
 * Every connection that the networks allow: members of a network reach each other at every port. Members of an
 * `isolated` network do not. The host refuses everything else.
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

import type { ServiceDefinition } from "../model/definition.ts";
import type { Capability } from "../model/facets.ts";

/** The capabilities that a service needs before it starts, and those it needs later. */
const requires = ({ database, cache, llm, vectors }: ServiceDefinition) => ({
  atStart: [...(database ? ["database" as const] : []), ...(cache ? ["cache" as const] : [])],
  later: [...(llm ? ["llm" as const] : []), ...(vectors ? ["vectors" as const] : [])],
});

/** The service that provides a capability; undefined when none of them does. */
export const providerOf = (
  capability: Capability,
  definitions: readonly ServiceDefinition[],
): ServiceDefinition | undefined => definitions.find(({ provides }) => provides === capability);

/** Capabilities that a service requires and none of the others provides. */
export function missingCapabilities(
  definition: ServiceDefinition,
  definitions: readonly ServiceDefinition[],
): Capability[] {
  const { atStart, later } = requires(definition);
  return [...atStart, ...later].filter((capability) => !providerOf(capability, definitions));
}

/** Services that have to be healthy before this one starts. */
export function startupDependencies(
  definition: ServiceDefinition,
  definitions: readonly ServiceDefinition[],
): string[] {
  const providers = requires(definition).atStart.flatMap((each) => providerOf(each, definitions)?.name ?? []);
  const present = (definition.startsAfter ?? []).filter((name) => definitions.some((each) => each.name === name));
  return [...new Set([...(definition.needs ?? []), ...present, ...providers])];
}

/** Services that this one depends on: those it starts after, and the providers of what it requires later. */
export function allDependencies(definition: ServiceDefinition, definitions: readonly ServiceDefinition[]): string[] {
  const later = requires(definition).later.flatMap((each) => providerOf(each, definitions)?.name ?? []);
  return [...new Set([...startupDependencies(definition, definitions), ...later])];
}

/**
 * Services whose own configuration or state names this one: an account of the cache, a key, a collection. A database is
 * created next to its service instead.
 */
export function accountHolders(definition: ServiceDefinition, definitions: readonly ServiceDefinition[]): string[] {
  const { atStart, later } = requires(definition);
  return [...atStart, ...later]
    .filter((capability) => capability !== "database")
    .flatMap((capability) => providerOf(capability, definitions)?.name ?? []);
}

/** Sorts the definitions so that each comes after what it starts after. @throws when they depend on each other */
export function topologicalOrder(definitions: readonly ServiceDefinition[]): ServiceDefinition[] {
  const placed: ServiceDefinition[] = [];
  const done = new Set<string>();
  while (placed.length < definitions.length) {
    const ready = definitions.filter(
      (definition) =>
        !done.has(definition.name) &&
        startupDependencies(definition, definitions).every((dependency) => done.has(dependency)),
    );
    if (ready.length === 0) {
      const cycle = definitions.filter(({ name }) => !done.has(name)).map(({ name }) => name);
      throw new Error(`services depend on each other: ${cycle.join(", ")}`);
    }
    for (const definition of ready) {
      placed.push(definition);
      done.add(definition.name);
    }
  }
  return placed;
}

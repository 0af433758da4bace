import { OperatorError } from "../../shared/errors.ts";

/** What is said of a service to plan a run of some. */
export interface PlannedService {
  readonly name: string;
  /** Services whose health its container waits for. */
  readonly startupDependencies: readonly string[];
  /** Those, and the ones that provide what it asks for once it runs. */
  readonly needs: readonly string[];
  /** Services that are told of it: that have an account or a key for it. */
  readonly knownTo: readonly string[];
  readonly networks: readonly string[];
}

/** The part of the engine's state that is used here. */
export interface KnownResource {
  readonly urn: string;
  readonly parent?: string;
}

export interface OnlyInput {
  /** As the operator named them. */
  readonly wanted: readonly string[];
  /** Every service of the stack. */
  readonly services: readonly PlannedService[];
  /** Every generated secret. */
  readonly secrets: readonly string[];
  /** The stack's state. */
  readonly known: readonly KnownResource[];
  readonly stack: string;
}

export interface OnlyPlan {
  /** Services of the run. */
  readonly services: readonly string[];
  /** Services whose image the run may pull. */
  readonly images: readonly string[];
  /** Why there are more than were named. */
  readonly notes: readonly string[];
  /** Flags for the engine. */
  readonly flags: readonly string[];
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

/** Parts of a service that it may have; a test holds this against the program. */
const PARTS = ["-files", "-database", "-container", "-healthy", "-provisioned"];

/** Refuses names that the stack has no service for. */
export function requireServices(wanted: readonly string[], stack: string, names: readonly string[]): void {
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length === 0 && wanted.length > 0) return;
  throw new OperatorError({
    key: "--only",
    found: unknown.join(", ") || "no service",
    allowed: `${names.join(", ")} (the services of stack ${stack})`,
    fix: "name one, or several with commas between them",
  });
}

/**
 * Which services a run of some takes along, and what the engine is told of it. Everything that depends on one is taken
 * along as far as it is up, and what a new one has to be known to. Names are told by pattern: the engine refuses a
 * target that is not there, in the middle of its run, and a pattern that nothing matches it does not mind.
 *
 * @throws OperatorError when the run would need something that is not up
 */
export function planOnly({ wanted, services, secrets, known, stack }: OnlyInput): OnlyPlan {
  const names = services.map(({ name }) => name);
  requireServices(wanted, stack, names);
  const up = new Set(known.map(({ urn }) => nameOf(urn)));
  const isUp = (service: string): boolean => up.has(`${service}-container`);
  requireHost(known, stack);

  const dependants = closure(wanted, (one) =>
    services.flatMap(({ name, needs }) => (needs.includes(one) && isUp(name) ? [name] : [])),
  ).filter((name) => !wanted.includes(name));
  const providers = services
    .filter(({ name }) => wanted.includes(name) && !isUp(name))
    .flatMap(({ knownTo }) => knownTo)
    .filter((name) => isUp(name) && !wanted.includes(name) && !dependants.includes(name));
  const chosen = services.filter(({ name }) => [...wanted, ...dependants, ...providers].includes(name));
  requireNeeds(chosen, isUp, stack);

  const chosenNames = chosen.map(({ name }) => name);
  const parts = chosenNames.flatMap((name) => [name, ...PARTS.map((part) => name + part), ...childrenOf(name, known)]);
  // What all share and is not there yet: each container waits for every image, and files may hold another's secret.
  const shared = [
    ...names.map((name) => `images-${name}`),
    ...secrets.map((name) => `secrets-${name}`),
    ...chosen.flatMap(({ networks }) => networks.map((network) => `host-network-${network}`)),
  ].filter((name) => !up.has(name));
  // Whether the permanent secrets are the right ones is looked at in every run.
  const targets = new Set([
    "secrets-permanent-guard",
    ...parts,
    ...chosenNames.map((name) => `images-${name}`),
    ...shared,
  ]);
  return {
    services: chosenNames,
    images: names.filter((name) => chosenNames.includes(name) || shared.includes(`images-${name}`)),
    notes: [...note(dependants, "what depends on it, too"), ...note(providers, "what it has to be known to, too")],
    flags: [...targets].toSorted().flatMap((name) => ["--target", `**::${name}`]),
  };
}

const note = (names: readonly string[], why: string): string[] =>
  names.length === 0 ? [] : [`${why}: ${[...new Set(names)].join(", ")}`];

function closure(start: readonly string[], next: (name: string) => readonly string[]): string[] {
  const found = new Set(start);
  for (const name of found) for (const other of next(name)) found.add(other);
  return [...found];
}

/** Names of everything below a service's component in the state, whatever part it is. */
function childrenOf(service: string, known: readonly KnownResource[]): string[] {
  const root = known.find(({ urn }) => urn.endsWith(`::vpai:service:DockerService::${service}`));
  if (root === undefined) return [];
  return closure([root.urn], (urn) => known.flatMap((each) => (each.parent === urn ? [each.urn] : []))).map(nameOf);
}

function requireHost(known: readonly KnownResource[], stack: string): void {
  if (known.some(({ urn }) => nameOf(urn) === "host-ready")) return;
  throw new OperatorError({
    key: "--only",
    found: `stack ${stack} has not been brought up`,
    allowed: "a stack whose server is there",
    fix: `\`vpai up --stack ${stack}\` first`,
  });
}

function requireNeeds(chosen: readonly PlannedService[], isUp: (service: string) => boolean, stack: string): void {
  const names = chosen.map(({ name }) => name);
  const faults = chosen.flatMap(({ name, startupDependencies }) =>
    startupDependencies
      .filter((need) => !isUp(need) && !names.includes(need))
      .map((need) => ({
        key: "--only",
        found: `${name}, which needs ${need}, and ${need} is not up`,
        fix: `add it (\`--only ${[...names, need].join(",")}\`), or \`vpai up --stack ${stack}\``,
      })),
  );
  if (faults.length > 0) throw new OperatorError(faults);
}

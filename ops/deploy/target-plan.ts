import { OperatorError } from "../../shared/errors.ts";

/** The part of a service's definition that a targeted run needs. */
export interface PlannedService {
  readonly name: string;
  /** Services whose health its container waits for. */
  readonly startupDependencies: readonly string[];
  /** Those, and the providers of what it uses at run time. */
  readonly needs: readonly string[];
  /** Services that hold an account or a key for it. */
  readonly accountHolders: readonly string[];
  readonly networks: readonly string[];
}

/** The part of the engine's state that is used here. */
export interface KnownResource {
  readonly urn: string;
  readonly parent?: string;
}

export interface TargetInput {
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

export interface TargetPlan {
  /** Services of the run. */
  readonly services: readonly string[];
  /** Services whose image the run may pull. */
  readonly images: readonly string[];
  /** Why the run has more services than were named. */
  readonly notes: readonly string[];
  /** Flags for the engine. */
  readonly flags: readonly string[];
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

/** Parts of a service that it may have; a test holds this against the program. */
const PARTS = ["-files", "-database", "-prepared", "-container", "-open", "-admit", "-healthy", "-provisioned"];

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
 * Computes the `--target` set: the named services, their dependents that are up, and the providers of new ones. Targets
 * are patterns: the engine fails in the middle of a run on a target that does not exist, but accepts a pattern without
 * a match.
 *
 * @throws OperatorError when the run would need something that is not up
 */
export function targetPlan({ wanted, services, secrets, known, stack }: TargetInput): TargetPlan {
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
    .flatMap(({ accountHolders }) => accountHolders)
    .filter((name) => isUp(name) && !wanted.includes(name) && !dependants.includes(name));
  const chosen = services.filter(({ name }) => [...wanted, ...dependants, ...providers].includes(name));
  requireNeeds(chosen, isUp, stack);

  const chosenNames = chosen.map(({ name }) => name);
  const parts = chosenNames.flatMap((name) => [name, ...PARTS.map((part) => name + part), ...childrenOf(name, known)]);
  // Shared resources that do not exist yet: each container waits for every image, and files may hold another's secret.
  const shared = [
    ...names.map((name) => `images-${name}`),
    ...secrets.map((name) => `secrets-${name}`),
    ...chosen.flatMap(({ networks }) => networks.map((network) => `host-network-${network}`)),
  ].filter((name) => !up.has(name));
  // The permanent secrets are verified in every run; and what runs on the server is what this program expects there.
  const targets = new Set([
    "secrets-permanent-guard",
    "host-ready",
    ...parts,
    ...chosenNames.map((name) => `images-${name}`),
    ...shared,
  ]);
  return {
    services: chosenNames,
    images: names.filter((name) => chosenNames.includes(name) || shared.includes(`images-${name}`)),
    notes: [...note(dependants, "also its dependents"), ...note(providers, "also the providers of its accounts")],
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

/** Names of all resources below a service's component in the state. */
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
    allowed: "a stack with a running server",
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
        found: `${name}, which depends on ${need}, and ${need} is not up`,
        fix: `add it (\`--only ${[...names, need].join(",")}\`), or \`vpai up --stack ${stack}\``,
      })),
  );
  if (faults.length > 0) throw new OperatorError(faults);
}

import { BACKUP_PASSWORD } from "../../backup/credentials.ts";
import type { Fault } from "../../../shared/errors.ts";
import type { ServiceContext } from "../model/context.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import type { Reveal, SecretRef, SecretSpec } from "../model/facets.ts";
import { cacheSecret, configSecret, databaseSecret, llmSecret } from "../model/secrets.ts";
import { filesOf } from "./files.ts";

export interface PlannedSecret extends Required<SecretSpec> {
  /** False for a disabled service: its permanent secrets stay, because its data does. */
  readonly active: boolean;
}

const ROTATABLE: SecretSpec = { permanent: false };

/**
 * Every generated secret of a deployment by name: the one list of what exists, and of what may never change.
 *
 * @param disabled services of the catalogue that the deployment leaves out
 */
export function planSecrets(
  definitions: readonly ServiceDefinition[],
  disabled: readonly ServiceDefinition[] = [],
): Record<string, PlannedSecret> {
  const active: (readonly [string, SecretSpec])[] = definitions.flatMap(({ name, secrets, database, cache, llm }) => [
    ...Object.entries(secrets ?? {}),
    ...(database ? [[databaseSecret(name), ROTATABLE] as const] : []),
    ...(cache ? [[cacheSecret(name), ROTATABLE] as const] : []),
    ...(llm ? [[llmSecret(name), ROTATABLE] as const] : []),
  ]);
  const kept = disabled.flatMap(({ secrets }) =>
    Object.entries(secrets ?? {}).filter(([, { permanent }]) => permanent),
  );
  const seen = new Set<string>();
  for (const [name] of [...active, ...kept]) {
    if (seen.has(name)) throw new Error(`two secrets have the name ${name}`);
    seen.add(name);
  }
  return Object.fromEntries(
    [...active.map((entry) => [...entry, true] as const), ...kept.map((entry) => [...entry, false] as const)]
      .map(([name, { length = 40, permanent }, isActive]) => [name, { length, permanent, active: isActive }] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/**
 * {@link planSecrets}, and what belongs to no service: the password of the backups. It is made before there are any, and kept
 * after; the server knows it once it has them.
 */
export const stackSecrets = (
  definitions: readonly ServiceDefinition[],
  disabled: readonly ServiceDefinition[] = [],
  hasBackup = false,
): Record<string, PlannedSecret> => ({
  [BACKUP_PASSWORD]: { length: 40, permanent: true, active: hasBackup },
  ...planSecrets(definitions, disabled),
});

/** Runs `use` with placeholders, and returns the secrets that it revealed. */
export function secretsUsed(use: (reveal: Reveal) => unknown): SecretRef[] {
  const used = new Set<SecretRef>();
  use((secret) => {
    used.add(secret);
    return `<${secret}>`;
  });
  return [...used].sort();
}

/** The secrets in a service's files. */
export const secretsOfFiles = (definition: ServiceDefinition, context: ServiceContext): SecretRef[] =>
  secretsUsed((reveal) => [
    ...filesOf(definition, context).map(({ content }) => content(context, reveal)),
    definition.readback?.(context, reveal),
  ]);

/** The secrets that a service is provisioned with. */
export const secretsOfProvision = ({ provision }: ServiceDefinition, context: ServiceContext): SecretRef[] =>
  secretsUsed((reveal) => provision?.steps(context, reveal));

/** The secrets that an operator logs in with. */
export const secretsOfLogin = ({ login }: ServiceDefinition, context: ServiceContext): SecretRef[] =>
  secretsUsed((reveal) => login?.(context, reveal));

/** Reveals the secrets in `values`. */
export function revealFrom(values: Readonly<Record<string, string>>): Reveal {
  return (secret) => {
    const value = values[secret];
    if (value === undefined) throw new Error(`unknown secret: ${secret}`);
    return value;
  };
}

/** Secrets that a service uses and the deployment does not have. */
export function checkSecrets(
  definitions: readonly ServiceDefinition[],
  context: ServiceContext,
  planned: Readonly<Record<string, PlannedSecret>>,
): Fault[] {
  const known = new Set<string>([...Object.keys(planned), ...context.settings.providedSecrets.map(configSecret)]);
  return definitions.flatMap((definition) => {
    const { name, metrics } = definition;
    const used = [
      ...secretsOfFiles(definition, context),
      ...secretsOfProvision(definition, context),
      ...secretsOfLogin(definition, context),
      ...("bearer" in metrics && metrics.bearer ? [metrics.bearer] : []),
    ];
    return [...new Set(used)]
      .filter((secret) => !known.has(secret))
      .map((secret) => ({
        key: `service ${name}`,
        found: `unknown secret: ${secret}`,
        allowed: [...known].sort().join(", "),
        fix: "declare it with serviceSecrets, or add the facet that creates it",
      }));
  });
}

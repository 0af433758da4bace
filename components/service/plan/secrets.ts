import { databaseSecret } from "./databases.ts";
import { llmSecret, redisSecret } from "../model/requirements.ts";
import type { SecretSpec, ServiceDefinition } from "../model/definition.ts";

export interface PlannedSecret extends Required<SecretSpec> {
  /** False of a service that is left out: its permanent secrets stay, because its data does. */
  readonly used: boolean;
}

/**
 * Every generated secret of a deployment by name: the one list of what there is, and of what may never change.
 *
 * @param leftOut services of the catalogue that the deployment does without
 */
export function planSecrets(
  definitions: readonly ServiceDefinition[],
  leftOut: readonly ServiceDefinition[] = [],
): Record<string, PlannedSecret> {
  const entries: (readonly [string, SecretSpec])[] = definitions.flatMap(({ name, secrets, database, redis, llm }) => [
    ...Object.entries(secrets ?? {}),
    ...(database ? [[databaseSecret(name), { permanent: false }] as const] : []),
    ...(redis ? [[redisSecret(name), { permanent: false }] as const] : []),
    ...(llm ? [[llmSecret(name), { permanent: false }] as const] : []),
  ]);
  const kept = leftOut.flatMap(({ secrets }) => Object.entries(secrets ?? {}).filter(([, { permanent }]) => permanent));
  const seen = new Set<string>();
  for (const [name] of [...entries, ...kept]) {
    if (seen.has(name)) throw new Error(`two secrets are called ${name}`);
    seen.add(name);
  }
  return Object.fromEntries(
    [...entries.map((entry) => [...entry, true] as const), ...kept.map((entry) => [...entry, false] as const)]
      .map(([name, { length = 40, permanent }, used]) => [name, { length, permanent, used }] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

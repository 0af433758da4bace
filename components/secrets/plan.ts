import { databaseSecret } from "../database/plan.ts";
import { llmSecret, redisSecret } from "../service/facts.ts";
import type { SecretSpec, ServiceDefinition } from "../service/definition.ts";

/** Every generated secret of a deployment by name: the one list of what there is, and of what may never change. */
export function planSecrets(definitions: readonly ServiceDefinition[]): Record<string, Required<SecretSpec>> {
  const entries: (readonly [string, SecretSpec])[] = definitions.flatMap(({ name, secrets, database, redis, llm }) => [
    ...Object.entries(secrets ?? {}),
    ...(database ? [[databaseSecret(name), { permanent: false }] as const] : []),
    ...(redis ? [[redisSecret(name), { permanent: false }] as const] : []),
    ...(llm ? [[llmSecret(name), { permanent: false }] as const] : []),
  ]);
  const seen = new Set<string>();
  for (const [name] of entries) {
    if (seen.has(name)) throw new Error(`two secrets are called ${name}`);
    seen.add(name);
  }
  return Object.fromEntries(
    entries
      .map(([name, spec]) => [name, { length: spec.length ?? 40, permanent: spec.permanent }] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

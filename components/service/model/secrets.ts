import type { SecretRef, SecretSpec } from "./facets.ts";
import type { ProvidedSecret } from "./settings.ts";

/** The secrets that a service declares. */
export interface ServiceSecrets<Name extends string> {
  /** For {@link file://./definition.ts}: by full name, `<service>-<name>`. */
  readonly specs: Readonly<Record<string, SecretSpec>>;
  readonly ref: Readonly<Record<Name, SecretRef>>;
}

const reference = (name: string): SecretRef => name as SecretRef;

/**
 * Declares the secrets of a service.
 *
 *     const secrets = serviceSecrets("n8n", { "encryption-key": { permanent: true } });
 *     reveal(secrets.ref["encryption-key"]); // the secret n8n-encryption-key
 */
export function serviceSecrets<const Name extends string>(
  service: string,
  specs: Readonly<Record<Name, SecretSpec>>,
): ServiceSecrets<Name> {
  const names = Object.keys(specs) as Name[];
  const full = (name: Name): SecretRef => reference(`${service}-${name}`);
  return {
    specs: Object.fromEntries(names.map((name) => [full(name), specs[name]])),
    ref: Object.fromEntries(names.map((name) => [name, full(name)])) as Record<Name, SecretRef>,
  };
}

/** The password of a service's database role. */
export const databaseSecret = (service: string): SecretRef => reference(`${service}-database`);

/** The password of a service's cache account. */
export const cacheSecret = (service: string): SecretRef => reference(`${service}-cache`);

/** The part of a service's LLM key that follows the prefix. */
export const llmSecret = (service: string): SecretRef => reference(`${service}-llm`);

/** A secret that the operator sets in the stack's configuration. */
export const configSecret = (key: ProvidedSecret): SecretRef => reference(`settings-${key}`);

/** LLM keys start with this prefix: LiteLLM refuses others. */
export const llmKey = (secret: string): string => `sk-${secret}`;

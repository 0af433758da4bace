import type { FileSpec } from "../model/definition.ts";
import type { SecretRef } from "../model/facets.ts";

/** A file below `secrets/` that holds one secret and nothing else. */
export const secretFile = (name: string, secret: SecretRef): FileSpec => ({
  path: `secrets/${name}`,
  content: (_, reveal) => reveal(secret),
});

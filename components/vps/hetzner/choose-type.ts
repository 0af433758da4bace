import type { Fault } from "../../../shared/errors.ts";

/** The part of Hetzner's `GET /server_types` with the locations that have a type (API reference, server types). */
export interface OfferedType {
  readonly name: string;
  readonly deprecated?: boolean;
  readonly locations?: readonly { readonly name: string; readonly available?: boolean }[];
}

/** The names of the types that are available at the location now. */
export function availableAt(types: readonly OfferedType[], location: string): string[] {
  return types
    .filter(({ locations }) => (locations ?? []).some(({ name, available }) => name === location && available === true))
    .map(({ name }) => name);
}

/** The first of the wanted types that the location has; otherwise a fault that names what it has. */
export function chooseServerType(
  wanted: readonly string[],
  location: string,
  available: readonly string[],
  known: readonly string[],
): { readonly type: string } | { readonly fault: Fault } {
  const type = wanted.find((name) => available.includes(name));
  if (type !== undefined) return { type };
  const unknown = wanted.filter((name) => !known.includes(name));
  const found =
    unknown.length === wanted.length
      ? `${wanted.join(", ")}: no such server type`
      : `${wanted.join(", ")}: sold out at ${location}`;
  return {
    fault: {
      key: "vpai:vps.serverType",
      found,
      allowed:
        available.length > 0
          ? `available at ${location}: ${[...available].sort().join(", ")}`
          : `nothing: ${location} is sold out`,
      fix: "`pulumi config set --path vpai:vps.serverType <type>`, add `vpai:vps.serverTypeFallbacks`, or choose another `vpai:vps.location`",
    },
  };
}

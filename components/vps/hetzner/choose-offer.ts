import type { Fault } from "../../../shared/errors.ts";

/** The part of Hetzner's `GET /server_types` with the locations that have a type (API reference, server types). */
export interface OfferedType {
  readonly name: string;
  readonly deprecated?: boolean;
  readonly locations?: readonly { readonly name: string; readonly available?: boolean }[];
}

/** What can be ordered: a server of a type, at a location. */
export interface Offer {
  readonly type: string;
  readonly location: string;
}

/** Candidates, each list in order of preference. */
export interface Wanted {
  readonly types: readonly string[];
  readonly locations: readonly string[];
}

/** `cx33 at fsn1`: how an offer is written everywhere, the environment and the preflight's output included. */
export const offerText = ({ type, location }: Offer): string => `${type} at ${location}`;

/** The offer that a text names; undefined if it names none. */
export function parseOffer(text: string): Offer | undefined {
  const [, type, location] = /^(\S+) at (\S+)$/.exec(text.trim()) ?? [];
  return type === undefined || location === undefined ? undefined : { type, location };
}

/** Names the offers that Hetzner has refused in this run, with commas: the preflight leaves them out. */
export const REFUSED_OFFERS = "VPAI_REFUSED_OFFERS";

/** The offers of {@link REFUSED_OFFERS}. */
export const refusedOffers = (env: NodeJS.ProcessEnv): string[] => env[REFUSED_OFFERS]?.split(",") ?? [];

/** The names of the types that are available at the location now. */
export function availableAt(types: readonly OfferedType[], location: string): string[] {
  return types
    .filter(({ locations }) => (locations ?? []).some(({ name, available }) => name === location && available === true))
    .map(({ name }) => name);
}

/** Every offer that would do, in order: an address stays at its location, so each type is tried there first. */
export function candidates({ types, locations }: Wanted): Offer[] {
  return locations.flatMap((location) => types.map((type) => ({ type, location })));
}

/**
 * The first of the candidates that Hetzner has and has not refused; otherwise a fault that names what it has.
 *
 * @param refused offers as {@link offerText} writes them
 */
export function chooseOffer(
  wanted: Wanted,
  offered: readonly OfferedType[],
  refused: readonly string[] = [],
): { readonly offer: Offer } | { readonly fault: Fault } {
  const has = (location: string): string[] =>
    availableAt(offered, location).filter((type) => !refused.includes(offerText({ type, location })));
  const offer = candidates(wanted).find(({ type, location }) => has(location).includes(type));
  if (offer !== undefined) return { offer };
  const known = offered.map(({ name }) => name);
  const isUnknown = wanted.types.every((name) => !known.includes(name));
  const places = wanted.locations.join(", ");
  const lists = wanted.locations.flatMap((location) => {
    const types = has(location).sort();
    return types.length === 0 ? [] : [`available at ${location}: ${types.join(", ")}`];
  });
  return {
    fault: {
      key: "vpai:vps.serverType",
      found: `${wanted.types.join(", ")}: ${isUnknown ? "no such server type" : `sold out at ${places}`}`,
      allowed: lists.join("; ") || `nothing: ${places} is sold out`,
      fix: "`pulumi config set --path vpai:vps.serverType <type>`, or add `vpai:vps.serverTypeFallbacks` or `vpai:vps.locationFallbacks`",
    },
  };
}

import type { ServedZone } from "../network/authority.ts";
import type { OvhZone } from "./model.ts";

/** OVH's default, which it calls 0. */
const DEFAULT_TTL = 3_600;

/** What name servers have of zones: as they were when they were last refreshed. */
export const servedZones = (zones: readonly OvhZone[]): ServedZone[] =>
  zones.map(({ name, serial, served }) => ({
    name,
    serial,
    records: served.map(({ subDomain, fieldType, target, ttl }) => ({
      name: subDomain === "" ? name : `${subDomain}.${name}`,
      type: fieldType,
      value: target,
      ttl: ttl || DEFAULT_TTL,
    })),
  }));

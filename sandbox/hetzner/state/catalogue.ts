import { offers } from "./offers.ts";

export type { ServerType } from "./offers.ts";

export const { locations, serverTypes, pricing } = offers;

export interface SystemImage {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly osVersion: string;
  readonly architecture: "x86" | "arm";
  readonly created: string;
}

export const systemImages: readonly SystemImage[] = [
  debian(114690387, "12", "x86", "2023-06-13T06:00:02+00:00"),
  debian(114690389, "12", "arm", "2023-06-13T06:00:02+00:00"),
  debian(310557660, "13", "x86", "2025-08-11T06:00:02+00:00"),
  debian(310557661, "13", "arm", "2025-08-11T06:00:02+00:00"),
];

function debian(id: number, version: string, architecture: "x86" | "arm", created: string): SystemImage {
  return { id, name: `debian-${version}`, description: `Debian ${version}`, osVersion: version, architecture, created };
}

/** Finds by id, or by name; a string of digits is an id, as the official clients have it. */
export function byIdOrName<T extends { readonly id: number; readonly name: string }>(
  items: readonly T[],
  key: number | string,
): T | undefined {
  const id = Number(key);
  return items.find((item) => (Number.isInteger(id) ? item.id === id : item.name === key));
}

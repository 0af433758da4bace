import leven from "leven";
import tzdata from "tzdata/tzdata.js";

/** Every name of the tz database, links included; ICU (n8n's Node) knows all of them but `Factory`. */
const NAMES: ReadonlySet<string> = new Set(Object.keys(tzdata.zones).filter((name) => name !== "Factory"));

/** Version of the tz database that the names come from. */
export const TZDATA_VERSION: string = tzdata.version;

export const isTimezone = (name: string): boolean => NAMES.has(name);

/** More letters than these are another place, not a slip. */
const MAX_DISTANCE = 3;

/** The zone that was probably meant: the same in another case, the same city, or a slip of a few letters. */
export function nearTimezone(name: string): string | undefined {
  const wanted = name.trim().toLowerCase().replaceAll(" ", "_");
  const city = wanted.split("/").at(-1) ?? "";
  const all = [...NAMES];
  const exact = all.find((each) => each.toLowerCase() === wanted);
  // "Paris" and "Mars/Paris" mean Europe/Paris; "UTC" is a name of its own.
  const sameCity = all.filter((each) => each.includes("/") && each.toLowerCase().endsWith(`/${city}`));
  return exact ?? (city !== "" && sameCity.length === 1 ? sameCity[0] : undefined) ?? nearest(wanted, all);
}

function nearest(wanted: string, names: readonly string[]): string | undefined {
  const most = Math.min(MAX_DISTANCE, Math.floor(wanted.length / 3));
  const ranked = names.map((name) => ({ name, distance: leven(wanted, name.toLowerCase()) }));
  const best = ranked.reduce((a, b) => (b.distance < a.distance ? b : a));
  return best.distance <= most ? best.name : undefined;
}

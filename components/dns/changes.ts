import type { Fault } from "../../shared/errors.ts";
import { MARKER } from "./plan.ts";
import { absoluteName, type DnsRecord, setKey } from "./record.ts";
import type { ZoneChanges, ZoneRecord } from "./zone.ts";

/** What the last run knew of the zone. */
export interface Written {
  /** As it wrote them; the records that it adopted are not among them. */
  readonly records: readonly DnsRecord[];
  /** Sets that were in the zone before, by {@link setKey}: used, and never changed or removed. */
  readonly kept: readonly string[];
}

export interface Planned extends ZoneChanges {
  /** What is known of the zone once the changes are written. */
  readonly written: Written;
}

const NOTE = "vpai-kept=";

/** A note next to the marker: this set was there before, with the value that it should have. */
const noteOf = (key: string): string => `${NOTE}${key}`;

const isMarker = ({ name, type }: DnsRecord): boolean =>
  type === "TXT" && (name === MARKER || name.startsWith(`${MARKER}.`));

/**
 * What turns the zone as found into the zone as wanted. A set that is equal is adopted; one that is different, and was
 * not written by the last run, is a conflict, and nothing is written. The marker separates an interrupted run's records,
 * which are ours, from those of the zone's owner.
 *
 * @param last undefined where the state knows of none
 */
export function planChanges(
  zone: string,
  wanted: readonly DnsRecord[],
  found: readonly ZoneRecord[],
  last?: Written,
): Planned | { readonly conflicts: readonly Fault[] } {
  const marker = wanted.find(isMarker);
  const notes = found.filter((each) => marker && each.name === marker.name && /^vpai-(stack|kept)=/.test(each.value));
  const resumed = notes.some(({ value }) => value === marker?.value);
  const otherOwner = notes.find(({ value }) => value.startsWith("vpai-stack=") && value !== marker?.value);
  if (marker && otherOwner) return { conflicts: [foreignStack(zone, marker, otherOwner)] };
  const plain = wanted.filter((each) => !isMarker(each));
  const sets = [...new Set(plain.map(setKey))].map((key) =>
    planSet(zone, {
      key,
      wanted: plain.filter((each) => setKey(each) === key),
      found: found.filter((each) => setKey(each) === key),
      blocking: found.filter((each) => blocks(each, key)),
      ours: last?.records.some((each) => setKey(each) === key) ?? false,
      kept: last?.kept.includes(key) ?? false,
      noted: notes.some(({ value }) => value === noteOf(key)),
      resumed,
    }),
  );
  const conflicts = sets.flatMap(({ conflict }) => conflict ?? []);
  if (conflicts.length > 0) return { conflicts };
  const kept = sets.flatMap(({ key, adopt }) => (adopt ? [key] : []));
  const marks = marker === undefined ? [] : [marker, ...kept.map((key) => ({ ...marker, value: noteOf(key) }))];
  const stale = notes.filter(({ value }) => !marks.some((mark) => mark.value === value));
  const records = plain.filter((each) => !kept.includes(setKey(each)));
  return {
    create: [
      ...marks.filter((mark) => !notes.some(({ value }) => value === mark.value)),
      ...sets.flatMap(({ create }) => create),
    ],
    update: [
      ...sets.flatMap(({ update }) => update),
      ...notes.flatMap((from) => {
        const to = marks.find((mark) => mark.value === from.value);
        return to !== undefined && to.ttl !== from.ttl ? [{ from, to }] : [];
      }),
    ],
    remove: [...noLongerWanted(wanted, found, last), ...stale],
    written: { records: [...marks, ...records], kept },
  };
}

interface SetPlan {
  readonly key: string;
  readonly create: readonly DnsRecord[];
  readonly update: ZoneChanges["update"];
  readonly adopt?: boolean;
  readonly conflict?: Fault;
}

interface OneSet {
  readonly key: string;
  readonly wanted: readonly DnsRecord[];
  readonly found: readonly ZoneRecord[];
  readonly blocking: readonly ZoneRecord[];
  readonly ours: boolean;
  readonly kept: boolean;
  /** Whether a note says that it was there before. */
  readonly noted: boolean;
  readonly resumed: boolean;
}

function planSet(zone: string, set: OneSet): SetPlan {
  const { key, wanted, found, ours, resumed } = set;
  const missing = wanted.filter((each) => !found.some(({ value }) => value === each.value));
  const surplus = found.filter((each) => !wanted.some(({ value }) => value === each.value));
  const nothing = { key, create: [], update: [] };
  if (set.blocking.length > 0) return { ...nothing, conflict: conflict(zone, wanted, set.blocking) };
  const before = set.kept || set.noted;
  const equal = missing.length === 0 && surplus.length === 0;
  if (equal && !ours && (before || !resumed)) return { ...nothing, adopt: true };
  if (found.length > 0 && !ours && (before || !resumed || surplus.length > 0))
    return { ...nothing, conflict: conflict(zone, wanted, found) };
  // A value in place of ours was put there by hand; one next to ours is another record.
  if (surplus.length > missing.length) return { ...nothing, conflict: conflict(zone, wanted, surplus) };
  const edited = surplus.flatMap((from, i) => (missing[i] ? [{ from, to: missing[i] }] : []));
  const retimed = found.flatMap((from) => {
    const to = wanted.find(({ value }) => value === from.value);
    return to !== undefined && to.ttl !== from.ttl ? [{ from, to }] : [];
  });
  return { key, create: missing.slice(edited.length), update: [...edited, ...retimed] };
}

/** Whether a record makes every other one at its name impossible, or unseen. */
function blocks({ name, type }: ZoneRecord, key: string): boolean {
  const own = key.slice(0, key.lastIndexOf(" "));
  if ((name || "@") !== own) return false;
  return type === "CNAME" || type === "DNAME" || (type === "NS" && name !== "");
}

/** What the last run wrote and this one does not want; a value that it did not write stays. */
function noLongerWanted(wanted: readonly DnsRecord[], found: readonly ZoneRecord[], last?: Written): ZoneRecord[] {
  const keys = new Set(wanted.map(setKey));
  return found.filter(
    (each) =>
      !keys.has(setKey(each)) && last?.records.some((old) => setKey(old) === setKey(each) && old.value === each.value),
  );
}

/** What is removed with the deployment: the values that it wrote, and the marker with its notes after all others. */
export function planRemoval(found: readonly ZoneRecord[], { records }: Written): ZoneRecord[] {
  const ours = found.filter((each) => records.some((old) => setKey(old) === setKey(each) && old.value === each.value));
  return [...ours.filter((each) => !isMarker(each)), ...ours.filter(isMarker).toReversed()];
}

const listed = (records: readonly DnsRecord[]): string =>
  records.map(({ type, value }) => `${type} ${value}`).join(", ");

function conflict(zone: string, wanted: readonly DnsRecord[], found: readonly ZoneRecord[]): Fault {
  return {
    key: `DNS record ${absoluteName(wanted[0]?.name ?? "", zone)}`,
    found: `${listed(found)}, which this stack did not write`,
    allowed: `${listed(wanted)}, or no record`,
    fix: `delete it at the provider of ${zone} if nothing uses it, or take another domain; nothing was changed`,
  };
}

function foreignStack(zone: string, marker: DnsRecord, found: ZoneRecord): Fault {
  return {
    key: `DNS record ${absoluteName(marker.name, zone)}`,
    found: `TXT ${found.value}: the domain belongs to another stack`,
    allowed: `TXT ${marker.value}, or no record`,
    fix: "take another domain; or destroy that stack, or delete the record if there is no such stack any more",
  };
}

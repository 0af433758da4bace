import { OperatorError } from "../../shared/errors.ts";
import { planChanges, planRemoval, type Planned, type Written } from "./changes.ts";
import { type DnsRecord, setKey } from "./record.ts";
import type { Zone, ZoneChanges, ZoneRecord } from "./zone.ts";

const namesOf = (...lists: (readonly DnsRecord[])[]): string[] => [...new Set(lists.flat().map(({ name }) => name))];

const isEmpty = ({ create, update, remove }: ZoneChanges): boolean =>
  create.length + update.length + remove.length === 0;

/**
 * Makes the zone have the records, all in one batch that is published once, and reads them back.
 *
 * @param last what the last run wrote; undefined at the first one
 * @throws OperatorError, with nothing written, when a record of another owner is in the way
 */
export async function convergeZone(zone: Zone, wanted: readonly DnsRecord[], last?: Written): Promise<Written> {
  const names = namesOf(wanted, last?.records ?? []);
  const planned = requirePlan(zone, wanted, await zone.find(names), last);
  await zone.write(planned);
  // Also where nothing was written: an interrupted run may have written without publishing.
  await zone.publish();
  const left = requirePlan(zone, wanted, await zone.find(names), planned.written);
  if (!isEmpty(left)) throw new Error(`${zone.name}: after it was written the zone still differs: ${described(left)}`);
  return planned.written;
}

function requirePlan(
  zone: Zone,
  wanted: readonly DnsRecord[],
  found: readonly ZoneRecord[],
  last: Written | undefined,
): Planned {
  const plan = planChanges(zone.name, wanted, found, last);
  if ("conflicts" in plan) throw new OperatorError(plan.conflicts);
  return plan;
}

const described = ({ create, update, remove }: ZoneChanges): string =>
  [
    ...create.map((each) => `${setKey(each)} is missing`),
    ...update.map(({ from }) => `${setKey(from)} is ${from.value}`),
    ...remove.map((each) => `${setKey(each)} is still there`),
  ].join(", ");

/** Removes what was written, and nothing else; publishes once. */
export async function removeRecords(zone: Zone, written: Written): Promise<void> {
  const names = namesOf(written.records);
  await zone.write({ create: [], update: [], remove: planRemoval(await zone.find(names), written) });
  await zone.publish();
  const left = planRemoval(await zone.find(names), written);
  if (left.length > 0) throw new Error(`${zone.name}: still there after their removal: ${left.map(setKey).join(", ")}`);
}

/** What the zone has at the place of each planned set: the planned records themselves where nothing differs. */
export async function readRecords(
  zone: Zone,
  planned: readonly DnsRecord[],
  { kept }: Pick<Written, "kept">,
): Promise<DnsRecord[]> {
  const found = await zone.find(namesOf(planned));
  return [...new Set(planned.map(setKey))].flatMap((key) => {
    const wanted = planned.filter((each) => setKey(each) === key);
    const here = found.filter((each) => setKey(each) === key);
    const known = wanted.flatMap((record) => {
      const same = here.find(({ value }) => value === record.value);
      if (same === undefined) return [];
      return [{ ...record, ttl: kept.includes(key) ? record.ttl : same.ttl }];
    });
    // Texts of other owners stand next to ours.
    const foreign = here.filter(({ type, value }) => type !== "TXT" && !wanted.some((each) => each.value === value));
    return [...known, ...foreign.map(({ name, type, value, ttl }) => ({ name, type, value, ttl }))];
  });
}

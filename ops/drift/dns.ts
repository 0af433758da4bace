import { readRecords } from "../../components/dns/converge.ts";
import { credentialsOf } from "../../components/dns/credentials.ts";
import { lookUp, nameServersOf, type Served } from "../../components/dns/name-servers.ts";
import { openZone } from "../../components/dns/open-zone.ts";
import { OvhError } from "../../components/dns/ovh/client.ts";
import { absoluteName, type DnsRecord, setKey, zoneLine } from "../../components/dns/record.ts";
import type { StackContext } from "../stack/context.ts";
import type { Drift } from "./drift.ts";
import type { ExpectedDns } from "./expected.ts";

/** Compares the zone with what the last run wrote; where records are made by hand, what is served with what it planned. */
export async function dnsDrifts(expected: ExpectedDns, { env }: Pick<StackContext, "env">): Promise<Drift[]> {
  const { zone, records, place } = expected;
  if (place === undefined) {
    const servers = await nameServersOf(zone, env["VPAI_DNS_SERVERS"]);
    return servedDrifts(expected, await lookUp(zone, records, servers));
  }
  try {
    const at = openZone(
      place,
      credentialsOf(place.provider, (key) => expected.secrets[key], env),
    );
    return recordDrifts(expected, await readRecords(at, records, expected));
  } catch (error) {
    if (!(error instanceof OvhError)) throw error;
    const fix = "try again later; the records themselves are served all the same";
    return [
      { resource: `DNS zone ${zone}`, expected: "readable", actual: error.message, repair: { kind: "manual", fix } },
    ];
  }
}

/** Pure part for records that are written: one difference a set. */
export function recordDrifts({ zone, records, urn }: ExpectedDns, actual: readonly DnsRecord[]): Drift[] {
  return [...new Set(records.map(setKey))].flatMap((key): Drift[] => {
    const of = (list: readonly DnsRecord[]): DnsRecord[] => list.filter((each) => setKey(each) === key);
    const [wanted, found] = [of(records), of(actual)];
    const [first] = wanted;
    const [expected, seen] = [shown(wanted, wanted), shown(found, wanted)];
    if (first === undefined || expected === seen) return [];
    const resource = `DNS record ${absoluteName(first.name, zone)} ${first.type}`;
    return [{ resource, expected, actual: seen, repair: { kind: "refresh", urn, done: "written again" } }];
  });
}

/** Values; with their time to live only where that is another one. */
function shown(records: readonly DnsRecord[], wanted: readonly DnsRecord[]): string {
  const texts = records.map(({ value, ttl }) => {
    const planned = wanted.find((each) => each.value === value);
    return planned === undefined || planned.ttl === ttl ? value : `${value} for ${ttl} s`;
  });
  return texts.toSorted().join(", ") || "not found";
}

/** Pure part for records that are made by hand: one difference a set, for any number of servers. */
export function servedDrifts({ zone, records }: ExpectedDns, { answered, unserved }: Served): Drift[] {
  if (answered.length === 0) {
    const fix = "run the command where UDP port 53 of the internet is reached, or look at the records yourself";
    const actual = "no name server of the zone answers";
    return [
      { resource: `DNS zone ${zone}`, expected: "name servers that answer", actual, repair: { kind: "manual", fix } },
    ];
  }
  const sets = [...new Set(unserved.map(({ name, type }) => `${name} ${type}`))];
  return sets.map((key): Drift => {
    const each = unserved.find(({ name, type }) => `${name} ${type}` === key);
    const lines = records.filter(({ name, type }) => `${absoluteName(name, zone)} ${type}` === key);
    return {
      resource: `DNS record ${key}`,
      expected: each?.expected.join(", ") ?? "",
      actual: each?.actual.join(", ") || "not found",
      repair: {
        kind: "manual",
        fix: `have the zone ${zone} hold: ${lines.map((line) => zoneLine(line, zone)).join("; ")}`,
      },
    };
  });
}

/** Kinds of records that are planned, and those that can stand in their way. */
export type RecordType = "A" | "AAAA" | "CAA" | "TXT";

/** One record of a zone. */
export interface DnsRecord {
  /** Relative to the zone; empty for the zone itself. */
  readonly name: string;
  /** A {@link RecordType} where it is planned; any type where it was found. */
  readonly type: string;
  /** As a zone file has it, a text without its quotes. */
  readonly value: string;
  /** Seconds. */
  readonly ttl: number;
}

/** The name of a host relative to its zone. */
export function relativeName(host: string, zone: string): string {
  if (host === zone) return "";
  if (!host.endsWith(`.${zone}`)) throw new Error(`${host} is not in the zone ${zone}`);
  return host.slice(0, -zone.length - 1);
}

export const absoluteName = (name: string, zone: string): string => (name === "" ? zone : `${name}.${zone}`);

/** What a name has of one type: the unit that is either ours or foreign. */
export const setKey = ({ name, type }: Pick<DnsRecord, "name" | "type">): string => `${name || "@"} ${type}`;

/** One form for values that mean the same: APIs quote texts, end names with a dot, and shorten IPv6 addresses. */
export function canonicalValue(type: string, value: string): string {
  const text = value.trim();
  switch (type) {
    case "TXT":
    case "SPF":
      // A long text comes in pieces, each in quotes.
      return text.startsWith('"') ? text.replace(/^"|"$/g, "").replace(/"\s+"/g, "") : text;
    case "AAAA":
      return URL.canParse(`http://[${text}]`) ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
    case "CAA":
      return text.replace(/^(\d+)\s+(\S+)\s+"?([^"]*)"?$/, '$1 $2 "$3"');
    case "CNAME":
    case "NS":
      return text.toLowerCase().replace(/\.$/, "");
    default:
      return text;
  }
}

/** The value as a zone file has it. */
export const quotedValue = ({ type, value }: Pick<DnsRecord, "type" | "value">): string =>
  type === "TXT" ? `"${value}"` : value;

/** A line of a zone file. */
export const zoneLine = (record: DnsRecord, zone: string): string =>
  `${absoluteName(record.name, zone)}. ${record.ttl} IN ${record.type} ${quotedValue(record)}`;

/** Type of the resource that stands for them: a dynamic one as the SDK would make it, but for its implementation. */
export const ZONE_RECORDS = "pulumi-nodejs:dynamic/dns:ZoneRecords";

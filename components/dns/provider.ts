import { convergeZone, readRecords, removeRecords } from "./converge.ts";
import type { Written } from "./changes.ts";
import { type Credentials, credentialsOf, type DnsSecret } from "./credentials.ts";
import { nameServersOf, type Served, waitUntilServed } from "./name-servers.ts";
import { openZone, type ZonePlace } from "./open-zone.ts";
import { absoluteName, type DnsRecord } from "./record.ts";

/** Inputs of the resource. */
export interface ZoneRecordsInputs extends ZonePlace {
  readonly records: readonly DnsRecord[];
}

/** Its outputs, in the state. */
export interface ZoneRecordsState extends ZoneRecordsInputs {
  /** What was asked for last; `records` is what a refresh found in its place. */
  readonly planned: readonly DnsRecord[];
  readonly written: readonly DnsRecord[];
  readonly kept: readonly string[];
  /** Name servers that were seen to serve the records. */
  readonly servedBy: readonly string[];
}

interface DynamicConfig {
  readonly config: { readonly get: (key: string) => string | undefined };
}

let configured: (key: DnsSecret) => string | undefined = () => undefined;

const credentials = (place: ZonePlace): Credentials => credentialsOf(place.provider, configured, process.env);

const open = (place: ZonePlace) => openZone(place, credentials(place));

/**
 * The methods of a dynamic provider, which the engine's plugin calls with plain values. They find the secrets in the
 * stack's configuration or in the environment when they are called, so that none is in the resource.
 */
export const zoneRecordsProvider = {
  configure({ config }: DynamicConfig): Promise<void> {
    configured = (key) => config.get(`vpai:${key}`);
    return Promise.resolve();
  },

  diff(_id: string, olds: ZoneRecordsState, news: ZoneRecordsInputs) {
    const replaces = (["provider", "zone"] as const).filter((key) => olds[key] !== news[key]);
    const changes = replaces.length > 0 || text(olds.records) !== text(news.records) || olds.endpoint !== news.endpoint;
    return Promise.resolve({ changes, replaces });
  },

  async create(inputs: ZoneRecordsInputs) {
    const written = await convergeZone(open(inputs), inputs.records);
    const id = `${inputs.provider}/${inputs.zone}/${inputs.records[0]?.name ?? ""}`;
    return { id, outs: await served(id, inputs, written) };
  },

  async read(id: string, state: ZoneRecordsState) {
    const records = await readRecords(open(state), state.planned, state);
    return { id, props: { ...state, records } };
  },

  async update(id: string, olds: ZoneRecordsState, news: ZoneRecordsInputs) {
    const written = await convergeZone(open(news), news.records, { records: olds.written, kept: olds.kept });
    return { outs: await served(id, news, written) };
  },

  async delete(_id: string, { written, kept, ...place }: ZoneRecordsState): Promise<void> {
    await removeRecords(open(place), { records: written, kept });
  },
};

/** The engine hands out values whose keys have no order; one that is not known yet is a text. */
const text = (records: readonly DnsRecord[] | string): string =>
  typeof records === "string"
    ? records
    : records
        .map(({ name, type, value, ttl }) => [name, type, value, ttl].join(" "))
        .toSorted()
        .join("\n");

/** The state of records that are written, once the zone's name servers serve them. */
async function served(id: string, inputs: ZoneRecordsInputs, written: Written): Promise<ZoneRecordsState> {
  const { provider, zone, endpoint, records } = inputs;
  const servers = await nameServersOf(zone, process.env["VPAI_DNS_SERVERS"]);
  const { answered, unserved } = await waitUntilServed(zone, records, { servers });
  const state: ZoneRecordsState = {
    provider,
    zone,
    endpoint,
    records,
    planned: records,
    written: written.records,
    kept: written.kept,
    servedBy: answered,
  };
  if (unserved.length === 0) return state;
  // The records are there: the state keeps them, and the next run waits again.
  const reasons = [unservedText(unserved, zone)];
  throw Object.assign(new Error(reasons[0]), { id, properties: state, reasons });
}

function unservedText([first, ...more]: Served["unserved"], zone: string): string {
  if (first === undefined) return "";
  const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
  const actual = first.actual.join(", ") || "no record";
  return (
    `the name servers of ${zone} do not serve what was written: ${first.server} answers ${actual} for ` +
    `${first.name} ${first.type}, not ${first.expected.join(", ")}${rest}\n` +
    `  do: see at the provider whether ${absoluteName("", zone)} is deployed, then run \`vpai up\` again`
  );
}

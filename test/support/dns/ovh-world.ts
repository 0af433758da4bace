import { mkdtempSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates } from "node:tls";
import type { ZonePlace } from "../../../components/dns/open-zone.ts";
import type { Credentials } from "../../../components/dns/credentials.ts";
import { type Authority, startAuthority } from "../../../sandbox/network/authority.ts";
import { type Ca, ensureCa } from "../../../sandbox/network/ca.ts";
import type { AccessRule, OvhRecord, OvhZone } from "../../../sandbox/ovh/model.ts";
import { type Ovh, type OvhOptions, startOvh } from "../../../sandbox/ovh/server.ts";
import { servedZones } from "../../../sandbox/ovh/served.ts";

export const CREDENTIALS = {
  ovhApplicationKey: "applicationKey01",
  ovhApplicationSecret: "applicationSecret0123456789abcde",
  ovhConsumerKey: "consumerKey0123456789abcdefghijk",
} as const satisfies Credentials;

export const ZONE = "example.com";

/** Rights on the zone, as a token is made with; without those of the methods and paths that match. */
export const rights = (without = /^$/): AccessRule[] =>
  ["GET", "POST", "PUT", "DELETE"].flatMap((method) =>
    ["", "/record", "/record/*", "/refresh"]
      .map((path) => ({ method, path: `/domain/zone/${ZONE}${path}` }))
      .filter(({ path }) => !without.test(`${method} ${path}`)),
  );

const foreign = (id: number, subDomain: string, fieldType: string, target: string): OvhRecord => ({
  id,
  zone: ZONE,
  subDomain,
  fieldType,
  target,
  ttl: 0,
});

/** What the owner of the zone has in it. */
export const FOREIGN: readonly OvhRecord[] = [
  foreign(1, "", "MX", "10 mail.example.com."),
  foreign(2, "", "TXT", '"v=spf1 mx -all"'),
  foreign(3, "www", "A", "198.51.100.80"),
  foreign(4, "shop", "CNAME", "shops.myshop.example."),
];

/** A simulated OVH with one zone, and the name server that serves what was refreshed. */
export interface OvhWorld {
  readonly place: ZonePlace;
  readonly zone: OvhZone;
  readonly ca: Ca;
  readonly authority: Authority;
  /** Requests since the start, `METHOD path`. */
  readonly requests: string[];
  close(): Promise<void>;
}

export interface WorldOptions extends Pick<OvhOptions, "fault" | "perSecond"> {
  readonly rules?: readonly AccessRule[];
  readonly clock?: () => number;
}

export async function startOvhWorld(options: WorldOptions = {}): Promise<OvhWorld> {
  const directory = mkdtempSync(join(tmpdir(), "vpai-ovh-"));
  const ca = await ensureCa(directory);
  const zone: OvhZone = { name: ZONE, records: [...FOREIGN], served: [...FOREIGN], serial: 1 };
  const requests: string[] = [];
  const { rules = rights(), ...rest } = options;
  const account = {
    applicationKey: CREDENTIALS.ovhApplicationKey,
    applicationSecret: CREDENTIALS.ovhApplicationSecret,
    consumerKey: CREDENTIALS.ovhConsumerKey,
    rules,
  };
  const log = (line: string): void => void requests.push(line.replace("/1.0", ""));
  const certificate = await ca.issue(["127.0.0.1"]);
  const ovh: Ovh = await startOvh({ host: "127.0.0.1", port: 0, certificate, account, zones: [zone], log, ...rest });
  const authority = await startAuthority("127.0.0.1", 0, () => servedZones([zone]));
  // OVH's client uses the agent of the process, whose options win over those of a request: other tests need theirs back.
  const before = { ...https.globalAgent.options };
  https.globalAgent.options.ca = [...getCACertificates("default"), ca.certPem];
  return {
    place: { provider: "ovh", zone: ZONE, endpoint: ovh.endpoint },
    zone,
    ca,
    authority,
    requests,
    async close() {
      https.globalAgent.options = before;
      https.globalAgent.destroy();
      await Promise.all([ovh.close(), authority.close()]);
      rmSync(directory, { recursive: true });
    },
  };
}

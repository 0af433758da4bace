import { afterEach, describe, expect, test } from "@jest/globals";
import { convergeZone, readRecords, removeRecords } from "../../../components/dns/converge.ts";
import { lookUp } from "../../../components/dns/name-servers.ts";
import { openZone } from "../../../components/dns/open-zone.ts";
import { planRecords } from "../../../components/dns/plan.ts";
import type { DnsRecord } from "../../../components/dns/record.ts";
import type { Zone } from "../../../components/dns/zone.ts";
import { dnsDrifts } from "../../../ops/drift/dns.ts";
import {
  CREDENTIALS,
  FOREIGN,
  type OvhWorld,
  rights,
  startOvhWorld,
  type WorldOptions,
  ZONE,
} from "../../support/dns/ovh-world.ts";

let world: OvhWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** A world, and its zone as the program sees it; waits take no time. */
async function start(options: WorldOptions = {}, credentials: object = CREDENTIALS): Promise<[OvhWorld, Zone]> {
  const started = (world = await startOvhWorld({ perSecond: 1_000_000, ...options }));
  return [started, openZone(started.place, { ...CREDENTIALS, ...credentials }, { pause: () => Promise.resolve() })];
}

const PLANNED = planRecords({
  stack: "prod",
  domain: "ai.example.com",
  zone: ZONE,
  hosts: ["n8n.ai.example.com", "grafana.ai.example.com"],
  ipv4: "203.0.113.7",
  ttl: 300,
  issuers: ["letsencrypt.org", "pki.goog"],
});

const hundred: DnsRecord[] = Array.from({ length: 100 }, (_, i) => ({
  name: `host-${i}.ai`,
  type: "A",
  value: `10.0.0.${i}`,
  ttl: 300,
}));

const refreshes = ({ requests }: OvhWorld): number => requests.filter((each) => each.endsWith("/refresh")).length;
const writes = ({ requests }: OvhWorld): string[] => requests.filter((each) => !each.startsWith("GET "));

describe("the records of a stack at OVH", () => {
  test("are made with one refresh, served after it, and gone when they are removed", async () => {
    const [{ zone: at, authority }, zone] = await start();
    const written = await convergeZone(zone, PLANNED);
    expect(
      at.records
        .slice(FOREIGN.length)
        .map(({ subDomain, fieldType, target, ttl }) => [subDomain, fieldType, target, ttl]),
    ).toEqual([
      ["_vpai.ai", "TXT", '"vpai-stack=prod"', 300],
      ["ai", "CAA", '0 issue "letsencrypt.org"', 300],
      ["ai", "CAA", '0 issue "pki.goog"', 300],
      ["ai", "A", "203.0.113.7", 300],
      ["grafana.ai", "A", "203.0.113.7", 300],
      ["n8n.ai", "A", "203.0.113.7", 300],
    ]);
    expect(await lookUp(ZONE, PLANNED, [authority.server])).toEqual({ answered: [authority.server], unserved: [] });
    await removeRecords(zone, written);
    expect([at.records, at.served]).toEqual([FOREIGN, FOREIGN]);
  });

  test("a hundred of them: one refresh", async () => {
    const [running, zone] = await start();
    const written = await convergeZone(zone, hundred);
    expect([refreshes(running), running.zone.served.length]).toEqual([1, FOREIGN.length + 100]);
    await removeRecords(zone, written);
    expect([refreshes(running), running.zone.records]).toEqual([2, FOREIGN]);
  }, 120_000);

  test("a second run writes nothing", async () => {
    const [running, zone] = await start();
    const written = await convergeZone(zone, PLANNED);
    running.requests.length = 0;
    await convergeZone(zone, PLANNED, written);
    expect(writes(running)).toEqual([`POST /domain/zone/${ZONE}/refresh`]);
  });

  test("what was edited by hand is read back, and put right", async () => {
    const [{ zone: at }, zone] = await start();
    const written = await convergeZone(zone, PLANNED);
    at.records = at.records
      .filter(({ subDomain }) => subDomain !== "n8n.ai")
      .map((each) => (each.subDomain === "grafana.ai" ? { ...each, target: "192.0.2.66" } : each));
    const read = await readRecords(zone, PLANNED, written);
    expect(read.filter(({ type }) => type === "A").map(({ name, value }) => `${name} ${value}`)).toEqual([
      "ai 203.0.113.7",
      "grafana.ai 192.0.2.66",
    ]);
    await convergeZone(zone, PLANNED, written);
    expect(await readRecords(zone, PLANNED, written)).toEqual(PLANNED);
  });

  test("an equal record of the owner is used, and stays when the stack goes", async () => {
    const [{ zone: at }, zone] = await start();
    at.records.push({ id: 9, zone: ZONE, subDomain: "n8n.ai", fieldType: "A", target: "203.0.113.7", ttl: 0 });
    const before = [...at.records];
    const written = await convergeZone(zone, PLANNED);
    expect(written.kept).toEqual(["n8n.ai A"]);
    expect(await readRecords(zone, PLANNED, written)).toEqual(PLANNED);
    await removeRecords(zone, written);
    expect(at.records).toEqual(before);
  });

  test("a different record of the owner stops the run before anything is written", async () => {
    const [running, zone] = await start();
    running.zone.records.push({ id: 9, zone: ZONE, subDomain: "n8n.ai", fieldType: "A", target: "192.0.2.9", ttl: 0 });
    await expect(convergeZone(zone, PLANNED)).rejects.toThrow(
      "DNS record n8n.ai.example.com: A 192.0.2.9, which this stack did not write\n  allowed: A 203.0.113.7, or no record",
    );
    expect(writes(running)).toEqual([]);
  });
});

describe("an API that is busy, or out of order", () => {
  test("429, 500 and answers that are lost, each in turn: every record is made once", async () => {
    let count = 0;
    const answers = [undefined, 429, undefined, 500, undefined, "lost" as const, undefined];
    const [{ zone: at }, zone] = await start({ fault: () => answers[count++ % answers.length] });
    const written = await convergeZone(zone, hundred.slice(0, 20));
    expect(at.served.length).toBe(FOREIGN.length + 20);
    expect(new Set(at.records.map(({ subDomain }) => subDomain)).size).toBe(3 + 20);
    await removeRecords(zone, written);
    expect(at.served).toEqual(FOREIGN);
  }, 120_000);

  test("the rate limit is waited for", async () => {
    let now = Date.now();
    const started = (world = await startOvhWorld({ perSecond: 5, clock: () => now }));
    const pause = (ms: number): Promise<void> => Promise.resolve(void (now += ms));
    await convergeZone(openZone(started.place, CREDENTIALS, { pause }), PLANNED);
    expect(started.zone.served.length).toBe(FOREIGN.length + PLANNED.length);
  });

  test("a refresh that fails is a failure, and the next run publishes what was written", async () => {
    let broken = true;
    const [{ zone: at }, zone] = await start({
      fault: (_method, path) => (broken && path.endsWith("/refresh") ? 500 : undefined),
    });
    await expect(convergeZone(zone, PLANNED)).rejects.toThrow(`OVH: POST /domain/zone/${ZONE}/refresh: 500`);
    expect(at.served).toEqual(FOREIGN);
    broken = false;
    const written = await convergeZone(zone, PLANNED);
    expect(written.kept).toEqual([]);
    expect(at.served.length).toBe(FOREIGN.length + PLANNED.length);
    await removeRecords(zone, written);
    expect(at.records).toEqual(FOREIGN);
  });

  test("no answer at all is an error with the request, without a secret", async () => {
    const { place, close } = await startOvhWorld();
    await close();
    const zone = openZone(place, CREDENTIALS, { pause: () => Promise.resolve() });
    const error = await convergeZone(zone, PLANNED).then(String, String);
    expect(error).toMatch(/^OvhError: OVH: GET \/domain\/zone\/example\.com\/record: no answer/);
    for (const secret of Object.values(CREDENTIALS)) expect(error).not.toContain(secret);
  });
});

test("`vpai drift` reads the zone at its provider, or where records are made by hand at its name servers", async () => {
  const [{ zone: at, place, authority }, zone] = await start();
  const written = await convergeZone(zone, PLANNED);
  const expected = { zone: ZONE, records: PLANNED, place, kept: written.kept, urn: "urn:dns", secrets: CREDENTIALS };
  const { place: _place, ...byHand } = expected;
  const env = { VPAI_DNS_SERVERS: authority.server };
  const seen = async (of: typeof byHand): Promise<string[]> =>
    (await dnsDrifts(of, { env })).map(({ resource, actual, repair }) => `${resource}: ${actual}, ${repair.kind}`);
  expect([await seen(expected), await seen(byHand)]).toEqual([[], []]);
  at.records = at.records.map((each) => (each.subDomain === "n8n.ai" ? { ...each, target: "192.0.2.66" } : each));
  at.served = at.records;
  expect(await seen(expected)).toEqual(["DNS record n8n.ai.example.com A: 192.0.2.66, refresh"]);
  expect(await seen(byHand)).toEqual(["DNS record n8n.ai.example.com A: 192.0.2.66, manual"]);
});

describe("the rights of the keys", () => {
  test("are tried without a change to the zone", async () => {
    const [running, zone] = await start();
    await zone.tryRights();
    expect([running.zone.records, running.zone.served]).toEqual([FOREIGN, FOREIGN]);
  });

  test.each(["GET .*/record$", "GET .*/record/", "POST .*/record$", "PUT ", "DELETE ", "/refresh$"])(
    "without %s",
    async (without) => {
      const [running, zone] = await start({ rules: rights(new RegExp(without)) });
      await expect(zone.tryRights()).rejects.toThrow(
        /refused by OVH for (GET|POST|PUT|DELETE) [^]*This call has not been granted[^]*allowed: keys with GET, POST, PUT and DELETE on[^]*createToken/,
      );
      expect(running.zone.records).toEqual(FOREIGN);
    },
  );

  test.each([
    ["application key", { ovhApplicationKey: "0".repeat(16) }, "This application key is invalid"],
    ["application secret", { ovhApplicationSecret: "0".repeat(32) }, "Invalid signature"],
    ["consumer key", { ovhConsumerKey: "0".repeat(32) }, "This credential does not exist"],
  ])("another %s", async (_name, credentials, words) => {
    const [, zone] = await start({}, credentials);
    const error = await zone.tryRights().then(String, String);
    expect(error).toContain("vpai:ovhApplicationKey, vpai:ovhApplicationSecret, vpai:ovhConsumerKey: refused by OVH");
    expect(error).toContain(words);
    for (const secret of Object.values({ ...CREDENTIALS, ...credentials })) expect(error).not.toContain(secret);
  });

  test("a zone that the account does not have", async () => {
    const [{ place }] = await start({ rules: [{ method: "GET", path: "/*" }] });
    const zone = openZone({ ...place, zone: "example.org" }, CREDENTIALS, { pause: () => Promise.resolve() });
    await expect(zone.tryRights()).rejects.toThrow(
      /^vpai:dns\.zone: example\.org, which the account of the key does not have/,
    );
  });

  test("no secret at all", () => {
    const place = { provider: "ovh", zone: ZONE, endpoint: "https://127.0.0.1/1.0" } as const;
    expect(() => openZone(place, {})).toThrow(/^vpai:ovhApplicationKey: not set\n[^]*vpai:ovhConsumerKey: not set/);
  });
});

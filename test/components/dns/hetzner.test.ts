import { expect, test } from "@jest/globals";
import { convergeZone, readRecords, removeRecords } from "../../../components/dns/converge.ts";
import { HetznerZone } from "../../../components/dns/hetzner/zone.ts";
import { planRecords } from "../../../components/dns/plan.ts";

interface FakeSet {
  readonly name: string;
  readonly type: string;
  ttl: number | null;
  records: { value: string }[];
}

/** The part of Hetzner's API that is about the records of a zone, as its description of February 2026 has it. */
class FakeZone {
  readonly sets: FakeSet[] = [{ name: "@", type: "MX", ttl: null, records: [{ value: "10 mail.example.com." }] }];
  readonly writes: string[] = [];
  readonly = false;

  readonly request = ((url: string, init: RequestInit = {}) => {
    const { pathname, searchParams } = new URL(url);
    const { method = "GET", body } = init;
    const answer = this.#answer(method, pathname.replace("/v1", ""), searchParams, JSON.parse(String(body ?? "{}")));
    return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status }));
  }) as typeof fetch;

  #answer(method: string, path: string, query: URLSearchParams, json: Partial<FakeSet>) {
    const error = (status: number, code: string) => ({ status, body: { error: { code, message: code } } });
    const done = (status = 201) => ({ status, body: { action: { id: 1, status: "running" } } });
    if (path === "/zones/actions/1") return { status: 200, body: { action: { id: 1, status: "success" } } };
    if (!path.startsWith("/zones/example.com")) return error(404, "not_found");
    const [, , , , name, type, , action] = path.split("/").map(decodeURIComponent);
    if (method === "GET" && name === undefined && !path.endsWith("/rrsets")) return { status: 200, body: { zone: {} } };
    if (method === "GET")
      return { status: 200, body: { rrsets: this.sets.filter((set) => set.name === query.get("name")) } };
    if (this.readonly) return error(403, "token_readonly");
    this.writes.push(`${method} ${path.replace("/zones/example.com/rrsets", "")}`);
    const at = this.sets.findIndex((set) => set.name === (name ?? json.name) && set.type === (type ?? json.type));
    const set = this.sets[at];
    if (method === "POST" && name === undefined) {
      if (set !== undefined) return error(409, "uniqueness_error");
      this.sets.push(json as FakeSet);
      return done();
    }
    if (set === undefined) return error(404, "not_found");
    if (method === "DELETE") this.sets.splice(at, 1);
    else if (action === "set_records") set.records = json.records ?? [];
    else if (action === "change_ttl") set.ttl = json.ttl ?? null;
    return done();
  }
}

const PLANNED = planRecords({
  stack: "prod",
  domain: "example.com",
  zone: "example.com",
  hosts: ["n8n.example.com"],
  ipv4: "203.0.113.7",
  ttl: 300,
  issuers: ["letsencrypt.org", "pki.goog"],
});

const open = (fake: FakeZone, name = "example.com"): HetznerZone =>
  new HetznerZone(name, {
    endpoint: "https://api.hetzner.cloud/v1",
    token: "t".repeat(64),
    request: fake.request,
    pause: () => Promise.resolve(),
  });

test("the records of a stack at Hetzner: sets are made, put right and removed, and no other is touched", async () => {
  const fake = new FakeZone();
  const zone = open(fake);
  const written = await convergeZone(zone, PLANNED);
  expect(fake.writes).toEqual(["POST ", "POST ", "POST ", "POST "]);
  expect(
    fake.sets.slice(1).map(({ name, type, records }) => [name, type, ...records.map(({ value }) => value)]),
  ).toEqual([
    ["_vpai", "TXT", '"vpai-stack=prod"'],
    ["@", "CAA", '0 issue "letsencrypt.org"', '0 issue "pki.goog"'],
    ["@", "A", "203.0.113.7"],
    ["n8n", "A", "203.0.113.7"],
  ]);
  const byHand = fake.sets.find(({ name }) => name === "n8n");
  if (byHand) Object.assign(byHand, { ttl: 60, records: [{ value: "192.0.2.66" }] });
  expect((await readRecords(zone, PLANNED, written)).filter(({ name }) => name === "n8n")).toEqual([
    { name: "n8n", type: "A", value: "192.0.2.66", ttl: 60 },
  ]);
  fake.writes.length = 0;
  await convergeZone(zone, PLANNED, written);
  expect(fake.writes).toEqual(["POST /n8n/A/actions/set_records", "POST /n8n/A/actions/change_ttl"]);
  await removeRecords(zone, written);
  expect(fake.sets).toEqual(new FakeZone().sets);
});

test("an address that the owner has at a name is not changed", async () => {
  const fake = new FakeZone();
  fake.sets.push({ name: "n8n", type: "A", ttl: 60, records: [{ value: "192.0.2.9" }] });
  await expect(convergeZone(open(fake), PLANNED)).rejects.toThrow("DNS record n8n.example.com: A 192.0.2.9");
  expect(fake.writes).toEqual([]);
});

test("the rights of the token are tried without a change", async () => {
  const fake = new FakeZone();
  await open(fake).tryRights();
  expect(fake.sets).toEqual(new FakeZone().sets);
  await expect(open(fake, "example.org").tryRights()).rejects.toThrow(
    "vpai:dns.zone: example.org, which the project of",
  );
  fake.readonly = true;
  await expect(open(fake).tryRights()).rejects.toThrow("vpai:hetznerToken: may only read (token_readonly)");
});

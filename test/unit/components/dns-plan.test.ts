import { describe, expect, test } from "@jest/globals";
import { planChanges, planRemoval, type Planned, type Written } from "../../../components/dns/changes.ts";
import { type DnsPlanArgs, planRecords } from "../../../components/dns/plan.ts";
import { canonicalValue, type DnsRecord, zoneLine } from "../../../components/dns/record.ts";
import type { ZoneRecord } from "../../../components/dns/zone.ts";
import { OperatorError } from "../../../shared/errors.ts";

const PREPROD: DnsPlanArgs = {
  stack: "preprod",
  domain: "preprod.ai.example.com",
  zone: "example.com",
  hosts: ["n8n.preprod.ai.example.com", "grafana.preprod.ai.example.com"],
  ipv4: "203.0.113.7",
  ttl: 300,
  issuers: ["letsencrypt.org"],
};

const lines = (args: DnsPlanArgs): string[] => planRecords(args).map((record) => zoneLine(record, args.zone));

test("a subdomain of the zone: marker, authority, the domain itself and every route", () => {
  expect(lines(PREPROD)).toEqual([
    '_vpai.preprod.ai.example.com. 300 IN TXT "vpai-stack=preprod"',
    'preprod.ai.example.com. 300 IN CAA 0 issue "letsencrypt.org"',
    "grafana.preprod.ai.example.com. 300 IN A 203.0.113.7",
    "n8n.preprod.ai.example.com. 300 IN A 203.0.113.7",
    "preprod.ai.example.com. 300 IN A 203.0.113.7",
  ]);
});

test("the zone itself as the domain, with IPv6 where it is served", () => {
  const apex = { ...PREPROD, stack: "prod", domain: "example.com", hosts: ["n8n.example.com"], issuers: [] };
  expect(lines({ ...apex, ipv6: "2001:db8::1" })).toEqual([
    '_vpai.example.com. 300 IN TXT "vpai-stack=prod"',
    "example.com. 300 IN A 203.0.113.7",
    "example.com. 300 IN AAAA 2001:db8::1",
    "n8n.example.com. 300 IN A 203.0.113.7",
    "n8n.example.com. 300 IN AAAA 2001:db8::1",
  ]);
});

test("one form for what APIs write in several", () => {
  const forms: [type: string, value: string, canonical: string][] = [
    ["TXT", '"vpai-stack=prod"', "vpai-stack=prod"],
    ["TXT", '"one " "two"', "one two"],
    ["TXT", "plain", "plain"],
    ["AAAA", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["CAA", "0 issue letsencrypt.org", '0 issue "letsencrypt.org"'],
    ["CNAME", "Other.Example.com.", "other.example.com"],
    ["A", " 203.0.113.7", "203.0.113.7"],
  ];
  for (const [type, value, canonical] of forms) expect([type, canonicalValue(type, value)]).toEqual([type, canonical]);
});

const A = (name: string, value: string, ttl = 300): DnsRecord => ({ name, type: "A", value, ttl });
const MARK: DnsRecord = { name: "_vpai.ai", type: "TXT", value: "vpai-stack=prod", ttl: 300 };
const note = (key: string): DnsRecord => ({ ...MARK, value: `vpai-kept=${key}` });
let ids = 0;
const at = (record: DnsRecord): ZoneRecord => ({ ...record, id: String(++ids) });
const plain = (planned: Planned) => ({
  create: planned.create,
  update: planned.update.map(({ from, to }) => [from.value, to.value, from.ttl, to.ttl]),
  remove: planned.remove.map(({ name, type, value }) => `${name} ${type} ${value}`),
  kept: planned.written.kept,
});

function plan(wanted: readonly DnsRecord[], found: readonly ZoneRecord[], last?: Written) {
  const planned = planChanges("example.com", wanted, found, last);
  if ("conflicts" in planned) throw new OperatorError(planned.conflicts);
  return plain(planned);
}

const WANTED = [MARK, A("ai", "1.1.1.1"), A("n8n.ai", "1.1.1.1")];
const NOTHING = { create: [], update: [], remove: [], kept: [] };
const LAST: Written = { records: WANTED, kept: [] };

describe("what is written to the zone", () => {
  test("an empty one: all, the marker first", () => {
    expect(plan(WANTED, [])).toEqual({ ...NOTHING, create: WANTED });
  });

  test("an equal record is used as it is, and a note says that it was there", () => {
    const found = [at(A("ai", "1.1.1.1", 3600)), at(A("www", "9.9.9.9"))];
    expect(plan(WANTED, found)).toEqual({
      ...NOTHING,
      create: [MARK, note("ai A"), A("n8n.ai", "1.1.1.1")],
      kept: ["ai A"],
    });
  });

  test("after an interrupted run, what is there without a note is ours", () => {
    const found = [MARK, note("ai A"), A("ai", "1.1.1.1"), A("n8n.ai", "1.1.1.1")].map(at);
    expect(plan(WANTED, found)).toEqual({ ...NOTHING, kept: ["ai A"] });
    const some = [MARK, A("ai", "1.1.1.1")].map(at);
    expect(plan(WANTED, some)).toEqual({ ...NOTHING, create: [A("n8n.ai", "1.1.1.1")] });
  });

  test("no difference, nothing to do", () => {
    expect(plan(WANTED, WANTED.map(at), LAST)).toEqual(NOTHING);
  });

  test("another address is put into the records that there are", () => {
    const wanted = [MARK, A("ai", "2.2.2.2"), A("n8n.ai", "2.2.2.2")];
    expect(plan(wanted, WANTED.map(at), LAST)).toEqual({
      ...NOTHING,
      update: [
        ["1.1.1.1", "2.2.2.2", 300, 300],
        ["1.1.1.1", "2.2.2.2", 300, 300],
      ],
    });
  });

  test("what was edited by hand is put right: value, time to live, a record that was removed", () => {
    const found = [MARK, A("ai", "6.6.6.6")].map(at);
    expect(plan(WANTED, found, LAST)).toEqual({
      ...NOTHING,
      create: [A("n8n.ai", "1.1.1.1")],
      update: [["6.6.6.6", "1.1.1.1", 300, 300]],
    });
    const slow = [MARK, A("ai", "1.1.1.1", 60), A("n8n.ai", "1.1.1.1")].map(at);
    expect(plan(WANTED, slow, LAST).update).toEqual([["1.1.1.1", "1.1.1.1", 60, 300]]);
  });

  test("a host that is no longer wanted loses its record, unless somebody gave it another value", () => {
    const wanted = [MARK, A("ai", "1.1.1.1")];
    expect(plan(wanted, WANTED.map(at), LAST).remove).toEqual(["n8n.ai A 1.1.1.1"]);
    expect(plan(wanted, [MARK, A("ai", "1.1.1.1"), A("n8n.ai", "9.9.9.9")].map(at), LAST)).toEqual(NOTHING);
  });

  test("another domain takes its marker along", () => {
    const moved = [{ ...MARK, name: "_vpai.two" }, A("two", "1.1.1.1")];
    expect(plan(moved, WANTED.map(at), LAST)).toEqual({
      ...NOTHING,
      create: moved,
      remove: ["_vpai.ai TXT vpai-stack=prod", "ai A 1.1.1.1", "n8n.ai A 1.1.1.1"],
    });
  });

  test("texts of other owners at the marker's name stay", () => {
    const other = at({ ...MARK, value: "somebody else's" });
    expect(plan(WANTED, [...WANTED.map(at), other], LAST)).toEqual(NOTHING);
  });
});

describe("records of other owners", () => {
  const refusal = (found: readonly DnsRecord[], last?: Written): string => {
    try {
      return JSON.stringify(plan(WANTED, found.map(at), last));
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("a different value is named with ours, and nothing is planned", () => {
    expect(refusal([A("n8n.ai", "9.9.9.9")])).toBe(
      [
        "DNS record n8n.ai.example.com: A 9.9.9.9, which this stack did not write",
        "  allowed: A 1.1.1.1, or no record",
        "  do: delete it at the provider of example.com if nothing uses it, or take another domain; nothing was changed",
      ].join("\n"),
    );
  });

  test.each([
    ["a CNAME at the name", [{ name: "n8n.ai", type: "CNAME", value: "n8n.hosting.example", ttl: 60 }], undefined],
    [
      "the name delegated to other servers",
      [{ name: "ai", type: "NS", value: "ns.other.example", ttl: 60 }],
      undefined,
    ],
    ["a second address beside an equal one", [A("ai", "1.1.1.1"), A("ai", "9.9.9.9")], undefined],
    ["a second address beside ours", [...WANTED, A("ai", "9.9.9.9")], LAST],
    [
      "one that was adopted, and then changed",
      [MARK, note("ai A"), A("ai", "9.9.9.9")],
      { ...LAST, kept: ["ai A"], records: [MARK] },
    ],
    ["one of an interrupted run's time", [MARK, A("n8n.ai", "9.9.9.9")], undefined],
  ])("%s", (_name, found, last) => {
    expect(refusal(found, last)).toMatch(/which this stack did not write\n {2}allowed: A 1\.1\.1\.1, or no record/);
  });

  test("a domain that another stack has", () => {
    expect(refusal([{ ...MARK, value: "vpai-stack=preprod" }])).toMatch(
      /^DNS record _vpai\.ai\.example\.com: TXT vpai-stack=preprod: the domain belongs to another stack\n/,
    );
  });

  test("records of other types at the same name are left alone", () => {
    const mail = at({ name: "ai", type: "MX", value: "10 mail.example.com", ttl: 60 });
    expect(plan(WANTED, [...WANTED.map(at), mail], LAST)).toEqual(NOTHING);
  });
});

test("with the deployment go the values that it wrote, the marker last; what was there before stays", () => {
  const written = { records: [MARK, note("ai A"), A("n8n.ai", "1.1.1.1"), A("x.ai", "1.1.1.1")], kept: ["ai A"] };
  const found = [MARK, note("ai A"), A("ai", "1.1.1.1"), A("n8n.ai", "1.1.1.1"), A("x.ai", "9.9.9.9")].map(at);
  expect(planRemoval(found, written).map(({ name, value }) => `${name} ${value}`)).toEqual([
    "n8n.ai 1.1.1.1",
    "_vpai.ai vpai-kept=ai A",
    "_vpai.ai vpai-stack=prod",
  ]);
});

import { describe, expect, test } from "@jest/globals";
import type { DnsRecord } from "../../../../components/dns/record.ts";
import { recordDrifts, servedDrifts } from "../../../../ops/drift/dns.ts";
import type { ExpectedDns } from "../../../../ops/drift/expected.ts";

const record = (name: string, value: string, ttl = 300): DnsRecord => ({ name, type: "A", value, ttl });
const RECORDS = [record("ai", "203.0.113.7"), record("n8n.ai", "203.0.113.7")];
const EXPECTED: ExpectedDns = { zone: "example.com", records: RECORDS, kept: [], urn: "urn:dns", secrets: {} };

describe("records that are written", () => {
  const rows = (actual: readonly DnsRecord[]) =>
    recordDrifts(EXPECTED, actual).map(({ resource, expected, actual: seen, repair }) => [
      resource,
      expected,
      seen,
      repair.kind,
    ]);

  test("none differs", () => expect(rows(RECORDS)).toEqual([]));

  test("another value, another time to live, and one that is missing", () => {
    const name = (host: string): string => `DNS record ${host}.example.com A`;
    expect(rows([record("ai", "192.0.2.66"), record("n8n.ai", "203.0.113.7", 60)])).toEqual([
      [name("ai"), "203.0.113.7", "192.0.2.66", "refresh"],
      [name("n8n.ai"), "203.0.113.7", "203.0.113.7 for 60 s", "refresh"],
    ]);
    expect(rows([record("ai", "203.0.113.7")])).toEqual([[name("n8n.ai"), "203.0.113.7", "not found", "refresh"]]);
  });
});

describe("records that are made by hand", () => {
  test("one line a set, with the line for the zone", () => {
    const miss = (server: string) => ({
      server,
      name: "n8n.ai.example.com",
      type: "A",
      expected: ["203.0.113.7"],
      actual: [],
    });
    expect(servedDrifts(EXPECTED, { answered: ["1", "2"], unserved: [miss("1"), miss("2")] })).toEqual([
      {
        resource: "DNS record n8n.ai.example.com A",
        expected: "203.0.113.7",
        actual: "not found",
        repair: { kind: "manual", fix: "have the zone example.com hold: n8n.ai.example.com. 300 IN A 203.0.113.7" },
      },
    ]);
  });

  test("all served; and no server that answers", () => {
    expect(servedDrifts(EXPECTED, { answered: ["1"], unserved: [] })).toEqual([]);
    expect(servedDrifts(EXPECTED, { answered: [], unserved: [] })).toMatchObject([
      { resource: "DNS zone example.com", actual: "no name server of the zone answers", repair: { kind: "manual" } },
    ]);
  });
});

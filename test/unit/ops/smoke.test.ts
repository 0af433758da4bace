import { describe, expect, test } from "@jest/globals";
import {
  type Check,
  judge,
  mayStillPass,
  type Result,
  smokeChecks,
  waitsForCertificate,
  withoutRecord,
} from "../../../ops/smoke/checks.ts";
import { smokeFaults, smokeJunit, smokeTable } from "../../../ops/smoke/report.ts";
import { smokeScope } from "../../../ops/smoke/scope.ts";
import { catalogue } from "../../../stacks/catalogue.ts";

const address = { domain: "ai.example.com", publicPort: 8443 };
const all = smokeChecks(catalogue, address);

test("every facet is a check: a command once, a request from the server and from here, each with an id of its own", () => {
  const facets = catalogue.flatMap(({ smoke }) => [...smoke]);
  const requests = facets.filter((facet) => "url" in facet).length;
  expect(all).toHaveLength(facets.length + requests);
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(new Set(all.map(({ service }) => service))).toEqual(new Set(catalogue.map(({ name }) => name)));
});

const command: Check = {
  id: "a/0/inside",
  service: "a",
  name: "counts",
  withinSeconds: 0,
  place: "inside",
  argv: ["count"],
  prints: /^42$/,
};
const request: Check = {
  id: "b/0/edge",
  service: "b",
  name: "answers",
  withinSeconds: 0,
  place: "edge",
  url: "https://b.ai.example.com/",
  status: 200,
  body: /ok/,
  audience: "vpn",
};

describe("a check's outcome", () => {
  test.each<[string, Check, number | null, string, Result["outcome"], string | undefined]>([
    ["a command that prints what it should", command, 0, "42\n", "passed", undefined],
    ["one that prints something else", command, 0, "some text\n43\n", "failed", "exit code 0: 43"],
    ["one that prints it and fails", command, 1, "42\n", "failed", "exit code 1: 42"],
    ["one that prints nothing", command, 0, "", "failed", "exit code 0: nothing"],
    ["a command that never ends", command, null, "no answer within 30 s", "failed", "no answer within 30 s"],
    ["a request that is answered", request, 200, "ok", "passed", undefined],
    ["another status", request, 502, "", "failed", "status 502: nothing"],
    ["another body", request, 200, "hello", "failed", "status 200: hello"],
    [
      "the edge refuses who is not in the VPN",
      request,
      403,
      "",
      "skipped",
      "403: this route answers to the VPN and to vpai:vpnCidrs alone",
    ],
    [
      "the edge refuses everybody's route",
      { ...request, audience: "public" },
      403,
      "",
      "failed",
      "status 403: nothing",
    ],
  ])("%s", (_, check, status, text, outcome, found) => {
    const result = judge(check, { status, text, ms: 5 });
    expect([result.outcome, result.found]).toEqual([outcome, found]);
  });
});

test("what failed is tried again for as long as it may still pass", () => {
  const slow = { ...command, withinSeconds: 300 };
  expect(mayStillPass(command, { a: 1_000, b: 1_000 })).toBe(false);
  // Something that it depends on may have started just now.
  expect(mayStillPass(command, { a: 1_000, b: 5 })).toBe(true);
  expect(mayStillPass(slow, { a: 200, b: 1_000 })).toBe(true);
  expect(mayStillPass(slow, { a: 301, b: 1_000 })).toBe(false);
  expect(mayStillPass(slow, { a: null, b: 1_000 })).toBe(false);
  expect(mayStillPass(command, { a: null, b: null })).toBe(false);
});

const results: Result[] = [
  { service: "a", name: "counts", place: "inside", outcome: "passed", ms: 120 },
  {
    service: "b",
    name: 'says "<ok>"',
    place: "edge",
    outcome: "failed",
    ms: 30,
    found: "status 502: a & b\u0007",
    expected: "status 200",
  },
  { service: "c", name: "answers", place: "outside", outcome: "skipped", ms: 4, found: "403: no VPN" },
];

test("the table, with a reason for each that did not pass", () => {
  expect(smokeTable(results)).toBe(`SERVICE  CHECK        FROM     RESULT   TIME
a        counts       inside   passed   0.12 s
b        says "<ok>"  edge     failed   0.03 s
c        answers      outside  skipped  0.00 s

failed: b, says "<ok>" (edge): status 502: a & b\u0007; expected status 200
skipped: c, answers (outside): 403: no VPN
1 passed, 1 failed, 1 skipped
`);
});

test("JUnit's XML", () => {
  expect(smokeJunit(results, "prod")).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="smoke prod" tests="3" failures="1" skipped="1" time="0.15">
    <testcase classname="a" name="counts (inside)" time="0.12"/>
    <testcase classname="b" name="says &quot;&lt;ok&gt;&quot; (edge)" time="0.03"><failure message="status 502: a &amp; b?">expected status 200</failure></testcase>
    <testcase classname="c" name="answers (outside)" time="0.00"><skipped message="403: no VPN"/></testcase>
  </testsuite>
</testsuites>
`);
});

test("a failure is an error for the operator; what was skipped is none", () => {
  expect(smokeFaults(results, "sandbox", " --instance try")).toEqual([
    {
      key: 'smoke test of b (edge): says "<ok>"',
      found: "status 502: a & b\u0007",
      allowed: "status 200",
      fix: "look at `vpai ssh --stack sandbox --instance try -- docker logs --tail 50 b`, then `vpai smoke --stack sandbox --instance try` again",
    },
  ]);
});

describe("what is checked at the end of a run", () => {
  const summary = (changes: Record<string, number>) => ({ changes, preview: false, succeeded: true });
  test.each<[string, Record<string, number> | undefined, string[], ReturnType<typeof smokeScope>]>([
    ["everything as it was", { same: 130 }, [], "nothing"],
    ["a counter of nothing", { same: 130, update: 0 }, [], "nothing"],
    ["one replaced", { same: 129, replace: 1 }, ["--refresh"], "services"],
    ["no summary", undefined, [], "services"],
    ["a run of some resources", { update: 1 }, ["--target=urn"], "unknown"],
    ["another way to say so", { update: 1 }, ["--refresh", "-t", "urn"], "unknown"],
  ])("%s", (_, changes, flags, scope) => expect(smokeScope(changes && summary(changes), flags)).toBe(scope));
});

describe("certificates that are issued", () => {
  const [edge, inside] = [
    { place: "edge", url: "https://a.ai.example.com/" } as unknown as Check,
    { place: "inside" } as unknown as Check,
  ];
  const answer = (status: number | null, text: string) => ({ status, text, ms: 1 });

  test.each([
    [
      edge,
      answer(null, "curl: (35) OpenSSL/3.0.15: error:0A000438:SSL routines::tlsv1 alert internal error"),
      10,
      true,
    ],
    [edge, answer(null, "SSL certificate problem: unable to get local issuer certificate"), 119, true],
    [edge, answer(null, "SSL certificate problem: unable to get local issuer certificate"), 121, false],
    [edge, answer(null, "203.0.113.7:443: connect ECONNREFUSED"), 10, false],
    [edge, answer(502, "certificate"), 10, false],
    [inside, answer(null, "no certificate"), 10, false],
  ])("%j, %j after %d s is waited for: %s", (check, seen, seconds, expected) => {
    expect(waitsForCertificate(check, seen, seconds)).toBe(expected);
  });

  test("a host whose name does not lead to the server is skipped, with what there is", () => {
    const failed: Result = {
      service: "a",
      name: "n",
      place: "edge",
      outcome: "failed",
      ms: 1,
      found: "x",
      expected: "y",
    };
    const of = (...addresses: readonly string[]) => withoutRecord(failed, "a.ai.example.com", "203.0.113.7", addresses);
    expect(of("198.51.100.1", "203.0.113.7")).toBe(failed);
    expect(of()).toEqual({
      service: "a",
      name: "n",
      place: "edge",
      outcome: "skipped",
      ms: 1,
      found: "no certificate before a.ai.example.com leads to 203.0.113.7: no record leads anywhere",
    });
    expect(of("198.51.100.1").found).toMatch(/: it leads to 198\.51\.100\.1$/);
    expect(withoutRecord({ ...failed, outcome: "passed" }, "a", "203.0.113.7", []).outcome).toBe("passed");
  });
});

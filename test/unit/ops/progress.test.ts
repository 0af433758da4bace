import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { createProgress, duration, kindOf, labelOf, parseEvent } from "../../../ops/engine/progress.ts";

/** Plays an event log recorded from the real engine, an event each 100 ms. */
function play(name: string): { lines: string[]; progress: ReturnType<typeof createProgress> } {
  const progress = createProgress(0);
  const log = readFileSync(join(__dirname, "recorded", `${name}.jsonl`), "utf8");
  const lines = log
    .trim()
    .split("\n")
    .flatMap((line, index) => {
      const event = parseEvent(line);
      return event === undefined ? [] : progress.next(event, (index + 1) * 100);
    });
  return { lines, progress };
}

test.each([
  [
    "first",
    [
      "+ server command created 0.1 s",
      "+ image command created 0.1 s",
      "+ cont command created 0.1 s",
      "+ gate command created 0.1 s",
      "5 created, 0 unchanged, 1.5 s",
    ],
  ],
  ["unchanged", ["no changes, 4 unchanged, 1.5 s"]],
  ["preview", ["~ cont command would update", "1 to update, 3 unchanged, 1.6 s"]],
  [
    "replaced",
    ["- cont command old one deleted 0.1 s", "± cont command replaced 0.1 s", "1 replaced, 3 unchanged, 1.9 s"],
  ],
  [
    "failed",
    [
      "+ pw random password created 0.1 s",
      "~ server command updated 0.4 s",
      '✗ cont command: exit status 3: running "echo some output; echo went wrong >&2; exit 3":',
      "    some output",
      "    went wrong",
      "failed: 1 created, 1 updated, 1 unchanged, 1.9 s",
    ],
  ],
  ["refreshed", ["no changes, 4 unchanged, 1.5 s"]],
  [
    "destroyed",
    [
      "- cont command deleted 0.1 s",
      "- server command deleted 0.2 s",
      "- pw random password deleted 0.2 s",
      "4 deleted, 0 unchanged, 1.4 s",
    ],
  ],
])("a recorded run (%s) reads line by line", (name, lines) => {
  expect(play(name).lines).toEqual(lines);
});

test("the summary says what the engine counted and whether it succeeded", () => {
  expect(play("failed").progress.summary()).toEqual({
    changes: { create: 1, same: 1, update: 1 },
    preview: false,
    succeeded: false,
  });
  expect(play("unchanged").progress.summary()?.succeeded).toBe(true);
});

test("debug diagnostics are dropped: the engine writes secrets in them", () => {
  const secret = { diagnosticEvent: { message: "RPC finished: result,hunter2", severity: "debug" } };
  expect(createProgress(0).next(secret, 1)).toEqual([]);
});

test("steps under way are named with the time they have taken", () => {
  const progress = createProgress(0);
  const urn = "urn:pulumi:sandbox::vpai::docker:index/container:Container::n8n";
  const metadata = { op: "create", urn, type: "docker:index/container:Container", new: { custom: true } };
  progress.next({ resourcePreEvent: { metadata } }, 1000);
  expect(progress.running(3500)).toEqual(["n8n container 2.5 s"]);
  progress.next({ resOutputsEvent: { metadata } }, 4000);
  expect(progress.running(4000)).toEqual([]);
});

test("a refresh tells what it found, not what it did", () => {
  const progress = createProgress(0, "refresh");
  const step = (op: string, name: string) => ({
    resOutputsEvent: {
      metadata: { op, urn: `urn:a::${name}`, type: "docker:index/container:Container", old: { custom: true } },
    },
  });
  const events = [step("update", "n8n-container"), step("delete", "redis-container"), step("same", "caddy-container")];
  expect(events.flatMap((event) => progress.next(event, 100))).toEqual([
    "~ n8n container was found changed",
    "- redis container was found missing",
  ]);
  const summary = { resourceChanges: { update: 1, delete: 1, same: 9 }, result: "succeeded" };
  expect(progress.next({ summaryEvent: summary }, 2_000)).toEqual([
    "1 found changed, 1 found missing; `up` puts it right, 9 as recorded, 2.0 s",
  ]);
  const clean = { resourceChanges: { same: 9 }, result: "succeeded" };
  expect(progress.next({ summaryEvent: clean }, 2_000)).toEqual(["no differences, 9 as recorded, 2.0 s"]);
});

describe("names", () => {
  test.each([
    ["docker:index/remoteImage:RemoteImage", "remote image"],
    ["hcloud:index/primaryIp:PrimaryIp", "primary ip"],
    ["tls:index/privateKey:PrivateKey", "private key"],
    ["command:remote:Command", "command"],
  ])("%s is a %s", (type, kind) => {
    expect(kindOf(type)).toBe(kind);
  });

  test.each([
    ["urn:pulumi:s::p::docker:index/container:Container::n8n", "docker:index/container:Container", "n8n container"],
    ["urn:pulumi:s::p::a$docker:index/network:Network::host-network", "docker:index/network:Network", "host network"],
    ["urn:pulumi:s::p::hcloud:index/server:Server::server", "hcloud:index/server:Server", "server"],
  ])("%s is called %s", (urn, type, label) => {
    expect(labelOf(urn, type)).toBe(label);
  });
});

test.each([
  [0, "0.0 s"],
  [2149, "2.1 s"],
  [9949, "9.9 s"],
  [9950, "10 s"],
  [59_400, "59 s"],
  [59_600, "1 min 00 s"],
  [75_000, "1 min 15 s"],
])("%d ms is written %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("half a line, as a killed engine leaves it, is no event", () => {
  expect(parseEvent('{"sequence":1,"resourcePreEv')).toBeUndefined();
  expect(parseEvent("7")).toBeUndefined();
});

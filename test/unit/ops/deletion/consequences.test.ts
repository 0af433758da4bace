import { expect, test } from "@jest/globals";
import {
  announce,
  emptyProgram,
  HANDFUL,
  judge,
  type PlannedStep,
  StepCollector,
  unconfirmed,
} from "../../../../ops/deletion/consequences.ts";
import { OperatorError } from "../../../../shared/errors.ts";

const TYPES = {
  server: "hcloud:index/server:Server",
  address: "hcloud:index/primaryIp:PrimaryIp",
  volume: "hcloud:index/volume:Volume",
  key: "tls:index/privateKey:PrivateKey",
  password: "random:index/randomPassword:RandomPassword",
  command: "command:remote:Command",
  container: "docker:index/container:Container",
} as const;

const step = (op: string, kind: keyof typeof TYPES, name: string): PlannedStep => ({
  op,
  urn: `urn:pulumi:prod::vpai::${TYPES[kind]}::${name}`,
  type: TYPES[kind],
  real: true,
});
const kept = step("same", "command", "host-ready");
const facts = {
  stack: "prod",
  disabled: ["n8n"],
  permanent: { "n8n-encryption-key": true, "redis-exporter-cache": false },
};

test.each<[string, PlannedStep[], string[]]>([
  ["nothing but creations", [step("create", "server", "vps-server")], []],
  ["updates", [step("update", "container", "n8n-container")], []],
  [
    "a server that is deleted",
    [step("delete", "server", "vps-server")],
    ["the server (vps-server) is deleted: all data on it is lost"],
  ],
  [
    "a server that is replaced, in whatever order",
    [
      step("delete-replaced", "server", "vps-server"),
      step("replace", "server", "vps-server"),
      step("create-replacement", "server", "vps-server"),
    ],
    ["the server (vps-server) is deleted and made again: all data on it is lost"],
  ],
  [
    "an address",
    [step("delete", "address", "vps-address")],
    ["the address (vps-address) is given up: DNS and firewalls elsewhere that name it have to be changed"],
  ],
  ["a volume", [step("delete", "volume", "data")], ["the volume data is deleted: its data is lost"]],
  [
    "a key of the server",
    [step("replace", "key", "vps-host-key")],
    ["the SSH key vps-host-key is deleted and made again: what knows the old one is refused or refuses"],
  ],
  [
    "a permanent secret that is replaced",
    [step("replace", "password", "secrets-n8n-encryption-key")],
    ["the permanent secret n8n-encryption-key is replaced: what was encrypted with it can no longer be read"],
  ],
  ["a secret on which no data depends", [step("delete", "password", "secrets-redis-exporter-cache")], []],
  [
    "a secret that the catalogue does not know",
    [step("delete", "password", "secrets-former-key")],
    ["the permanent secret former-key is deleted: what was encrypted with it can no longer be read"],
  ],
  ["a container that is replaced", [step("replace", "container", "grafana-container")], []],
  [
    "a service that goes unasked",
    [step("delete", "container", "grafana-container")],
    ["the service grafana is removed; its data stays on the server"],
  ],
  [
    "a database that goes unasked",
    [step("delete", "command", "litellm-database")],
    ["the database of litellm is no longer managed: it stays on the server, its password is not kept"],
  ],
  [
    "a service that the stack file takes out, with its database",
    [step("delete", "container", "n8n-container"), step("delete", "command", "n8n-database")],
    [],
  ],
  [
    "many resources of a service that the stack file takes out",
    Array.from({ length: HANDFUL + 5 }, (_, index) => step("delete", "command", `n8n-step-${index}`)),
    [],
  ],
  ["a handful of resources", Array.from({ length: HANDFUL }, (_, i) => step("delete", "command", `c${i}`)), []],
  [
    "more than a handful",
    Array.from({ length: HANDFUL + 2 }, (_, i) => step("delete", "command", `c${i}`)),
    ["12 resources are deleted: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 more"],
  ],
])("%s: what is lost", (_, steps, lines) => {
  expect(judge([kept, ...steps], facts)).toEqual({ consequences: lines, empty: false });
});

test.each<[string, PlannedStep[], boolean]>([
  ["nothing at all", [], true],
  ["deletions alone", [step("delete", "server", "vps-server"), step("delete", "command", "x")], true],
  ["the stack and its providers alone", [{ ...kept, type: "pulumi:pulumi:Stack", real: false }], true],
  ["one resource that stays", [kept], false],
])("a program that yields %s: empty %p", (_, steps, empty) => {
  expect(judge(steps, facts).empty).toBe(empty);
});

test("the engine's events become steps, components and the engine's own apart", () => {
  const collected = new StepCollector();
  const metadata = { op: "delete", urn: "urn:a::x", type: TYPES.server, old: { custom: true }, new: null };
  collected.add({ resourcePreEvent: { metadata } });
  collected.add({ resOutputsEvent: { metadata } });
  collected.add({ resourcePreEvent: { metadata: { ...metadata, urn: "urn:a::p", type: "pulumi:providers:hcloud" } } });
  collected.add({ resourcePreEvent: { metadata: { ...metadata, urn: "urn:a::c", old: { custom: false } } } });
  expect(collected.steps.map(({ urn, real }) => [urn, real])).toEqual([
    ["urn:a::x", true],
    ["urn:a::p", false],
    ["urn:a::c", false],
  ]);
});

test("what an operator reads", () => {
  const judgement = judge([kept, step("delete", "server", "vps-server")], facts);
  expect(announce(judgement)).toEqual([
    "This run would lose:",
    "  - the server (vps-server) is deleted: all data on it is lost",
  ]);
  expect(new OperatorError(unconfirmed("prod", judgement)).message).toBe(`stack prod: this run would lose:
    - the server (vps-server) is deleted: all data on it is lost
  allowed: \`--allow-delete prod\`, when that is intended; nothing has been changed
  do: look at \`vpai preview --stack prod\`; save the data, then run the same command with --allow-delete prod`);
  expect(new OperatorError(emptyProgram("prod")).message).toContain("it yields no resources");
});

import { expect, test } from "@jest/globals";
import { StackFile } from "../../../ops/stack/config-file.ts";

const PIN = `docker.io/library/redis:8.4.0@sha256:${"a".repeat(64)}`;

const read = (...lines: readonly string[]) =>
  new StackFile(["config:", ...lines.map((line) => `  ${line}`)].join("\n"));

test("an empty file has the defaults", () => {
  for (const file of [new StackFile(""), new StackFile("# nothing\n"), read("aws:region: x")]) {
    expect([file.domain, file.size, file.disabledServices, file.images, file.platforms]).toEqual([
      undefined,
      "standard",
      [],
      {},
      ["linux/amd64"],
    ]);
  }
});

test("settings are read as they are written by hand, and as the engine writes them without --path", () => {
  for (const file of [
    read(
      "vpai:domain: a.example.com",
      "vpai:size: small",
      "vpai:disabledServices: [n8n]",
      `vpai:images: {redis: "${PIN}"}`,
    ),
    read(
      "vpai:domain: a.example.com",
      "vpai:size: small",
      `vpai:disabledServices: '["n8n"]'`,
      `vpai:images: '{"redis":"${PIN}"}'`,
    ),
  ]) {
    expect([file.domain, file.size, file.disabledServices, file.images]).toEqual([
      "a.example.com",
      "small",
      ["n8n"],
      { redis: PIN },
    ]);
  }
});

test("what has a wrong shape counts as not set: the program refuses it", () => {
  const file = read(
    "vpai:domain: [1]",
    "vpai:size: huge",
    "vpai:disabledServices: n8n",
    "vpai:images: [a]",
    "vpai:vps: 7",
  );
  expect([file.domain, file.size, file.disabledServices, file.images, file.platforms]).toEqual([
    undefined,
    "standard",
    [],
    {},
    ["linux/amd64"],
  ]);
});

test.each([
  ["{provider: hetzner, location: fsn1, serverType: cx33, serverTypeFallbacks: [cpx32]}", ["linux/amd64"]],
  ["{provider: hetzner, location: fsn1, serverType: cax21}", ["linux/arm64"]],
  [
    "{provider: hetzner, location: fsn1, serverType: cax21, serverTypeFallbacks: [cx33]}",
    ["linux/arm64", "linux/amd64"],
  ],
  ["{provider: existing, address: 203.0.113.7}", ["linux/amd64"]],
])("a server of %s takes images of %j", (vps, platforms) => {
  expect(read(`vpai:vps: ${vps}`).platforms).toEqual(platforms);
});

test("the server is another one when anything is said of it anew", () => {
  const [first, same, next] = ["generation: 1", "generation: 1", "generation: 2"].map(
    (line) => read(`vpai:vps: {provider: hetzner, ${line}}`).machine,
  );
  expect([first === same, first === next]).toEqual([true, false]);
});

test("a former name counts, with a notice", () => {
  const file = read("vpai:without: [n8n]");
  expect([file.disabledServices, file.notices]).toEqual([
    ["n8n"],
    ["vpai:without is deprecated: rename it to vpai:disabledServices"],
  ]);
});

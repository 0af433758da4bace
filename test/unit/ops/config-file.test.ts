import { expect, test } from "@jest/globals";
import { StackFile } from "../../../ops/stack/config-file.ts";

const read = (...lines: readonly string[]) =>
  new StackFile(["config:", ...lines.map((line) => `  ${line}`)].join("\n"));

test("an empty file has the defaults", () => {
  for (const file of [new StackFile(""), new StackFile("# nothing\n"), read("aws:region: x")]) {
    expect([file.domain, file.size, file.without, file.images, file.platforms]).toEqual([
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
    read("vpai:domain: a.example.com", "vpai:size: small", "vpai:without: [n8n]", "vpai:images: {redis: x}"),
    read("vpai:domain: a.example.com", "vpai:size: small", `vpai:without: '["n8n"]'`, `vpai:images: '{"redis":"x"}'`),
  ]) {
    expect([file.domain, file.size, file.without, file.images]).toEqual([
      "a.example.com",
      "small",
      ["n8n"],
      { redis: "x" },
    ]);
  }
});

test("what has a wrong shape counts as not set: the program refuses it", () => {
  const file = read("vpai:domain: [1]", "vpai:size: huge", "vpai:without: n8n", "vpai:images: [a]", "vpai:vps: 7");
  expect([file.domain, file.size, file.without, file.images, file.platforms]).toEqual([
    undefined,
    "standard",
    [],
    {},
    ["linux/amd64"],
  ]);
});

test.each([
  ["{provider: hetzner, serverType: cx33, serverTypeFallbacks: [cpx32]}", ["linux/amd64"]],
  ["{provider: hetzner, serverType: cax21}", ["linux/arm64"]],
  ["{provider: hetzner, serverType: cax21, serverTypeFallbacks: [cx33]}", ["linux/arm64", "linux/amd64"]],
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

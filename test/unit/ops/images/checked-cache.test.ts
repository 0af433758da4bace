import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { Finding } from "../../../../ops/images/check.ts";
import {
  forgetChecked,
  readChecked,
  rememberedAfter,
  unchecked,
  writeChecked,
} from "../../../../ops/images/checked-cache.ts";
import { wantedImages } from "../../../../ops/images/stack-images.ts";
import { parseImageRef } from "../../../../shared/image-ref.ts";

const pin = (name: string): string => `docker.io/library/${name}:1@sha256:${"0".repeat(64)}`;
const image = (name: string) => ({ pin: parseImageRef(pin(name)), services: [name] });
const found = (name: string): Finding => ({ ...image(name), verdict: { kind: "there", platforms: ["linux/amd64"] } });
const AMD64 = ["linux/amd64"];
const had = (...names: readonly string[]) => ({
  machine: "this",
  platforms: Object.fromEntries(names.map((name) => [pin(name), AMD64])),
});

describe("what is remembered", () => {
  const nothing = { machine: "", platforms: {} };
  let work: string;
  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), "vpai-memory-"));
  });
  afterEach(() => rm(work, { recursive: true }));

  test("is nothing at first, what was written then, and nothing after it was forgotten", async () => {
    expect(await readChecked(work)).toEqual(nothing);
    await writeChecked(work, had("a"));
    expect(await readChecked(work)).toEqual(had("a"));
    expect((await stat(join(work, "images-checked.json"))).mode & 0o777).toBe(0o600);
    await forgetChecked(work);
    await forgetChecked(work);
    expect(await readChecked(work)).toEqual(nothing);
  });

  test("is nothing when the file is broken: all is checked anew", async () => {
    await writeFile(join(work, "images-checked.json"), '{"cut');
    expect(await readChecked(work)).toEqual(nothing);
  });
});

test("images are checked that no successful run has brought to this server; all, when it is another", () => {
  const names = (machine: string) =>
    unchecked([image("a"), image("b")], had("a"), machine).flatMap(({ services }) => services);
  expect([names("this"), names("another")]).toEqual([["b"], ["a", "b"]]);
});

test.each([
  ["a whole run forgets what is no longer pinned", "this", false, ["a", "c"]],
  ["a run of some keeps what the others have", "this", true, ["a", "b", "c"]],
  ["on another server nothing counts that was not found for it", "another", true, ["c"]],
])("%s", (_name, machine, partly, names) => {
  const after = rememberedAfter(had("b", "a"), [image("a"), image("c")], [found("c")], { machine, partly });
  expect(after.machine).toBe(machine);
  expect(Object.entries(after.platforms)).toEqual(names.map((name) => [pin(name), AMD64]));
});

describe("the images of the services", () => {
  test("are each one, with all services that run it, as the lock has it", () => {
    const lock = { [pin("b")]: pin("b").replace(/0{64}/, "1".repeat(64)) };
    const images = wantedImages({ one: pin("a"), two: pin("b"), three: pin("a") }, {}, lock);
    expect(images.map(({ pin: { text }, services }) => [text, services])).toEqual([
      [pin("a"), ["one", "three"]],
      [lock[pin("b")], ["two"]],
    ]);
  });

  test("that are no pins are all told, by where they are written", () => {
    const wrong = `docker.io/library/redis:8@sha256:${"0".repeat(63)}`;
    const attempt = (): unknown =>
      wantedImages({ redis: wrong, caddy: "caddy:2", n8n: pin("n8n") }, { caddy: "caddy:2" });
    expect(attempt).toThrow(`image of redis: ${wrong}\n  allowed: host/repository:tag@sha256:<64 hexadecimal digits>`);
    expect(attempt).toThrow("vpai:images.caddy: caddy:2\n");
  });
});

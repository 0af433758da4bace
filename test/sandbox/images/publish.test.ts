import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { cacheDir } from "../../../toolchain/cache.ts";
import { publishImages } from "../../../sandbox/images/publish.ts";
import { digestOf } from "../../../sandbox/registry/registry.ts";
import type { Bench } from "./container-harness.ts";
import { docker, openBench, pins } from "./container-harness.ts";

const all = Object.values(pins);
let bench: Bench;

beforeAll(async () => {
  bench = await openBench(all);
}, 30 * 60_000);
afterAll(() => bench.clear(), 120_000);

const publish = async (wanted: readonly string[]) => {
  const lines: string[] = [];
  const refs = await publishImages({
    pins: wanted,
    pushAddress: bench.pushAddress,
    store: join(cacheDir(), "registry"),
    report: (line) => lines.push(line),
  });
  return { refs, lines };
};

test("each pin keeps its repository and tag and gets the digest the registry has", async () => {
  for (const pin of all) {
    const [, repository = "", tag = "", digest] = /^[^/]+\/([^:]+):([^@]+)@(.+)$/.exec(bench.refs[pin] ?? "") ?? [];
    expect(bench.refs[pin]?.split("@")[0]).toBe(pin.split("@")[0]);
    expect(await digestOf(bench.pushAddress, repository, tag)).toBe(digest);
  }
});

test("a second time nothing is made", async () => {
  const { refs, lines } = await publish(all);
  expect(refs).toEqual(bench.refs);
  expect(lines).toEqual([]);
});

test("another tag is another image, made of the same layers, and says its tag", async () => {
  // Never published before: a tag of its own each time. The first of two makes the layers if the cache has the image alone.
  const now = Date.now();
  await publish([pins.caddy.replace("2.11.7-alpine", `2.98.${now}`)]);
  const tag = `2.99.${now}`;
  const pin = pins.caddy.replace("2.11.7-alpine", tag);
  const { refs, lines } = await publish([pin]);
  expect(refs[pin]).toMatch(new RegExp(`^docker\\.io/library/caddy:${tag}@sha256:[0-9a-f]{64}$`));
  expect(refs[pin]?.split("@")[1]).not.toBe(bench.refs[pins.caddy]?.split("@")[1]);
  expect(lines).toEqual([expect.stringMatching(/^image docker\.io\/library\/caddy:2\.99\.\d+ \(real, \d+\.\d s\)$/)]);
  const image = `${bench.pushAddress}/library/caddy@${refs[pin]?.split("@")[1]}`;
  await docker("pull", "-q", image);
  const labels = JSON.parse(await docker("inspect", "-f", "{{json .Config.Labels}}", image)) as Record<string, string>;
  await docker("rmi", image);
  expect(labels).toMatchObject({ "org.opencontainers.image.version": tag, "vpai.sandbox.kind": "real" });
});

test("two pins of one tag take turns: each is served by its digest, and the tag is the last one asked for", async () => {
  const [, repository = "", tag = ""] = /^[^/]+\/([^:]+):([^@]+)@/.exec(pins.caddy) ?? [];
  const other = pins.caddy.replace(/0{64}$/, "1".repeat(64));
  const mine = bench.refs[pins.caddy]?.split("@")[1] ?? "";
  const digest = (await publish([other])).refs[other]?.split("@")[1] ?? "";
  expect(digest).not.toBe(mine);
  expect(await digestOf(bench.pushAddress, repository, tag)).toBe(digest);
  expect((await publish([pins.caddy])).lines).toEqual([]);
  expect(await digestOf(bench.pushAddress, repository, tag)).toBe(mine);
  expect(await digestOf(bench.pushAddress, repository, digest)).toBe(digest);
});

test("what the registry has lost is pushed again, from layers that are still there", async () => {
  const digest = bench.refs[pins.redis]?.split("@")[1] ?? "";
  const gone = await fetch(`http://${bench.pushAddress}/v2/library/redis/manifests/${digest}`, { method: "DELETE" });
  expect(gone.status).toBe(202);
  const { refs, lines } = await publish([pins.redis]);
  expect(refs).toEqual({ [pins.redis]: bench.refs[pins.redis] });
  expect(lines).toHaveLength(1);
  expect(await digestOf(bench.pushAddress, "library/redis", digest)).toBe(digest);
});

test("a pin of an unknown repository stops everything before anything is made", async () => {
  const wanted = [pins.redis, `ghcr.io/nobody/nothing:1@sha256:${"0".repeat(64)}`];
  await expect(publish(wanted)).rejects.toThrow("ghcr.io/nobody/nothing (the sandbox has no recipe for it)");
});

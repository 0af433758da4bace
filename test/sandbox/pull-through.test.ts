import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { pullImages } from "../../sandbox/images/pull.ts";
import { BlobStore } from "../../sandbox/registry/blob-store.ts";
import { PullThroughCaches } from "../../sandbox/registry/pull-through.ts";
import { Registries } from "../../shared/registry/client.ts";
import { INDEX, type PushedImage, UpstreamRegistry } from "../support/upstream-registry.ts";

// The cache in front of the public registries: Debian's docker-registry on both sides, over TLS and with tokens.

const shared = randomBytes(200_000);
let home: string;
let upstream: UpstreamRegistry;
let redis: PushedImage;
let caddy: PushedImage;
let addresses: Record<string, string>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-pull-"));
  upstream = await UpstreamRegistry.open(home);
  redis = await upstream.putImage("library/redis", "8.4.0", [shared, randomBytes(3_000_000)]);
  caddy = await upstream.putImage("library/caddy", "2.11.7", [shared]);
  addresses = { "docker.io": upstream.url, "ghcr.io": upstream.url };
});
afterAll(async () => {
  await upstream.close();
  await rm(home, { recursive: true });
});

let directory: string;
let caches: PullThroughCaches;
let registries: Registries;
let lines: string[];
let pauses: number[];

const open = (): void => {
  const env = { SSL_CERT_FILE: upstream.ca.certFile };
  caches = new PullThroughCaches({ directory, addresses, env, log: () => undefined, stallMs: 1_000 });
};
beforeEach(async () => {
  directory = await mkdtemp(join(home, "cache-"));
  [lines, pauses] = [[], []];
  open();
  const pause = async (ms: number): Promise<void> => void pauses.push(ms);
  registries = new Registries({ addresses, ca: upstream.ca.certPem, timeoutMs: 1_000, pause });
});
afterEach(async () => {
  upstream.reset();
  await caches.close();
  await registries.close();
});

const pull = (pins: readonly string[], free = 1e12): Promise<Record<string, string>> =>
  pullImages({
    pins,
    caches,
    registries,
    report: (line) => lines.push(line),
    free: () => free,
    pause: () => sleep(50),
  });

/** The message of the refusal. */
const refusal = (pins: readonly string[], free?: number): Promise<string> =>
  pull(pins, free).then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );

/** Requests for the content of blobs, which count as traffic. */
const downloads = (): string[] => upstream.requests.filter((line) => /^GET .*\/blobs\//.test(line));

/** What a server gets from the cache. */
async function served(path: string): Promise<{ status: number; bytes: Buffer }> {
  const answer = await fetch(`http://${await caches.addressOf("registry-1.docker.io")}${path}`, {
    headers: { accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json" },
  });
  return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
const file = (digest: string): string => new BlobStore(join(directory, "docker.io")).file(digest);

describe("images that are pulled", () => {
  test("stand for themselves, and the cache has each of their files", async () => {
    expect(await pull([redis.pin, caddy.pin, redis.pin])).toEqual({ [redis.pin]: redis.pin, [caddy.pin]: caddy.pin });
    expect(lines.toSorted()).toEqual([
      expect.stringMatching(/^image docker\.io\/library\/caddy:2\.11\.7 \(pulled, 0\.2 MB, \d+\.\d s\)$/),
      expect.stringMatching(/^image docker\.io\/library\/redis:8\.4\.0 \(pulled, 3\.2 MB, \d+\.\d s\)$/),
    ]);
    await upstream.goAway();
    const port = Number(new URL(addresses["docker.io"] ?? "").port);
    try {
      expect((await served(`/v2/library/redis/manifests/${redis.index}`)).status).toBe(200);
      expect((await served(`/v2/library/redis/manifests/${redis.manifest}`)).status).toBe(200);
      expect((await served(`/v2/library/redis/blobs/${redis.layers[0]}`)).bytes.equals(shared)).toBe(true);
      expect((await served(`/v2/library/caddy/blobs/${redis.layers[0]}`)).bytes.equals(shared)).toBe(true);
    } finally {
      await upstream.comeBack(port);
    }
  });

  test("are asked for with a token, and a registry's platforms that are not this machine's are left alone", async () => {
    await pull([redis.pin]);
    expect(upstream.requests).toContain(`GET /v2/library/redis/manifests/${redis.index} with token`);
    expect(upstream.requests.some((line) => line.startsWith("GET /token?"))).toBe(true);
  });

  test("are not asked for again, by a sandbox that starts without a network", async () => {
    await pull([redis.pin, caddy.pin]);
    await caches.close();
    await upstream.goAway();
    const port = Number(new URL(addresses["docker.io"] ?? "").port);
    try {
      open();
      lines.length = 0;
      expect(await pull([redis.pin, caddy.pin])).toHaveProperty([redis.pin]);
      expect(lines).toEqual([]);
      expect((await served(`/v2/library/redis/blobs/${redis.layers[1]}`)).status).toBe(200);
    } finally {
      await upstream.comeBack(port);
    }
  });

  test("of a registry that comes back are pulled by a cache that was started without it", async () => {
    await upstream.goAway();
    const port = Number(new URL(addresses["docker.io"] ?? "").port);
    expect((await served("/v2/")).status).toBe(200);
    await upstream.comeBack(port);
    expect(await pull([caddy.pin])).toHaveProperty([caddy.pin]);
  });
});

describe("a cache that is not whole", () => {
  test.each([
    ["a layer is cut short", () => truncate(file(redis.layers[1] ?? ""), 1_000)],
    ["a layer is empty", () => truncate(file(redis.layers[1] ?? ""), 0)],
    ["a layer has other bytes", () => writeFile(file(redis.layers[1] ?? ""), Buffer.alloc(3_000_000))],
    ["a layer is gone", () => rm(file(redis.layers[1] ?? ""))],
    ["the index is cut short", () => truncate(file(redis.index), 10)],
    ["the image's manifest is empty", () => truncate(file(redis.manifest), 0)],
  ])("because %s is made whole", async (_name, damage) => {
    await pull([redis.pin]);
    await damage();
    await pull([redis.pin]);
    for (const digest of [redis.index, redis.manifest]) {
      expect((await served(`/v2/library/redis/manifests/${digest}`)).status).toBe(200);
    }
    const { bytes } = await served(`/v2/library/redis/blobs/${redis.layers[1]}`);
    expect(bytes.equals(await readFile(file(redis.layers[1] ?? "")))).toBe(true);
    expect(bytes.length).toBe(3_000_000);
    expect(bytes.equals(Buffer.alloc(3_000_000))).toBe(false);
  });

  test("because a note that a layer belongs to a repository is cut short is made whole", async () => {
    await pull([redis.pin]);
    const layers = join(directory, "docker.io/docker/registry/v2/repositories/library/redis/_layers/sha256");
    for (const name of await readdir(layers)) await truncate(join(layers, name, "link"), 5);
    await pull([redis.pin]);
    expect((await served(`/v2/library/redis/blobs/${redis.layers[1]}`)).status).toBe(200);
  });

  test("because a download broke off has nothing of it", async () => {
    upstream.plan(new RegExp(`GET /v2/library/redis/blobs/${redis.layers[1]}`), "cut", 2);
    await pull([redis.pin]);
    expect((await readFile(file(redis.layers[1] ?? ""))).length).toBe(3_000_000);
  });

  test("and whose list of dates is cut short starts all the same", async () => {
    await pull([redis.pin]);
    await caches.close();
    await writeFile(join(directory, "docker.io/scheduler-state.json"), '{"library/redis@sha');
    open();
    expect(await pull([redis.pin])).toHaveProperty([redis.pin]);
    expect((await served("/v2/")).status).toBe(200);
  });

  test.each([
    ["of another version", '{"version":0,"files":[]}'],
    ["cut short", '{"manifests":[{"dig'],
    ["empty", ""],
  ])("by a record %s is looked at again, and nothing is fetched twice", async (_name, record) => {
    await pull([redis.pin]);
    const records = join(directory, "whole/docker.io/library/redis");
    for (const name of await readdir(records)) await writeFile(join(records, name), record);
    upstream.reset();
    await pull([redis.pin]);
    expect(downloads()).toEqual([]);
  });
});

describe("an image that is not available", () => {
  const zeros = `sha256:${"0".repeat(64)}`;

  test("because its registry has no such digest is named with its registry", async () => {
    expect(await refusal([`docker.io/library/redis:8.4.0@${zeros}`, caddy.pin])).toBe(
      [
        "image docker.io/library/redis:8.4.0: registry-1.docker.io does not have it (404)",
        `  allowed: what its registry has as ${zeros}`,
        "  do: correct the image (`./vpai images update` proposes another); images made here do without it: " +
          "`./vpai start --images built`, in a sandbox without a server",
      ].join("\n"),
    );
    // The others are there for the next try.
    expect(lines.join()).toContain("image docker.io/library/caddy:2.11.7 (pulled");
  });

  test("because its registry answers something else than the digest stands for", async () => {
    const wrong = caddy.pin.replace("library/caddy:2.11.7", "library/redis:8.4.0");
    const body = json({ schemaVersion: 2, mediaType: INDEX, manifests: [] });
    upstream.plan(/manifests/, { status: 200, headers: { "content-type": INDEX }, body });
    expect(await refusal([wrong])).toContain(
      `image docker.io/library/redis:8.4.0: registry-1.docker.io answers something else than what ${caddy.index} stands for`,
    );
  });

  test("because a layer's bytes are others, and none of them is kept", async () => {
    const layer = redis.layers[1] ?? "";
    upstream.plan(new RegExp(`GET .*/blobs/${layer}`), { status: 200, body: Buffer.alloc(3_000_000) });
    const message = await refusal([redis.pin]);
    expect(message).toContain(`image docker.io/library/redis:8.4.0: layer ${layer}, which registry-1.docker.io has: `);
    await expect(readFile(file(layer))).rejects.toThrow("ENOENT");
    upstream.reset();
    await pull([redis.pin]);
    expect((await readFile(file(layer))).length).toBe(3_000_000);
  });

  test("because its registry gives out no token", async () => {
    upstream.tokens = "refuses";
    expect(await refusal([redis.pin])).toContain(
      "image docker.io/library/redis:8.4.0: registry-1.docker.io refuses (401): no such repository, or none that everybody may read",
    );
  });

  test("because there is no cache for its registry", async () => {
    expect(await refusal([`registry.example.com/a/b:1@${zeros}`])).toBe(
      [
        `image: registry.example.com/a/b:1@${zeros} (no cache for registry.example.com)`,
        "  allowed: images of docker.io, ghcr.io, quay.io, docker.n8n.io",
        "  do: choose another image, or add the registry in sandbox/registry/pull-through.ts",
      ].join("\n"),
    );
  });
});

describe("a registry that does not do its part", () => {
  const again =
    "  do: see that this machine reaches it, and run the same command again; images made here do without it: " +
    "`./vpai start --images built`, in a sandbox without a server";

  test.each<[string, { status: number; headers?: Record<string, string> }, string, number[]]>([
    ["is busy", { status: 429 }, "429 too many requests", [1_000, 2_000]],
    [
      "is busy for an hour",
      { status: 429, headers: { "retry-after": "3600" } },
      "429 too many requests, to be asked again in 3600 s",
      [],
    ],
    ["is broken", { status: 500 }, "answers 500", [1_000, 2_000]],
  ])("because it %s is named once, with what it says", async (_name, answer, said, expected) => {
    upstream.plan(/manifests/, answer);
    expect(await refusal([redis.pin, caddy.pin])).toBe(
      [
        `registry docker.io: registry-1.docker.io: ${said} (it has library/redis:8.4.0, library/caddy:2.11.7)`,
        again,
      ].join("\n"),
    );
    expect([...new Set(pauses)]).toEqual(expected);
    upstream.reset();
    expect(await pull([redis.pin])).toHaveProperty([redis.pin]);
  });

  test("for as long as it says it is waited for", async () => {
    upstream.plan(/manifests/, { status: 429, headers: { "retry-after": "7" } }, 2);
    expect(await pull([caddy.pin])).toHaveProperty([caddy.pin]);
    expect(pauses).toEqual([7_000]);
  });

  test("in the middle of an image is named, and what was there before is not fetched again", async () => {
    upstream.plan(new RegExp(`/blobs/${redis.layers[1]}`), { status: 429, headers: { "retry-after": "3600" } });
    expect(await refusal([redis.pin])).toContain("429 too many requests, to be asked again in 3600 s");
    upstream.reset();
    await pull([redis.pin]);
    expect(downloads().filter((line) => !line.includes(redis.layers[1] ?? "")).length).toBe(0);
  });

  test("because it says nothing is given up", async () => {
    upstream.plan(/HEAD .*blobs/, "silence");
    upstream.plan(/GET .*blobs/, "silence");
    expect(await refusal([caddy.pin])).toContain(
      "registry docker.io: registry-1.docker.io: no answer: none within 1 s",
    );
  });

  test("because there is no network is named for each registry", async () => {
    await caches.close();
    await registries.close();
    addresses = { "docker.io": "https://registry-1.docker.invalid", "ghcr.io": "https://127.0.0.1:1" };
    open();
    registries = new Registries({ addresses, tries: 1 });
    try {
      expect(await refusal([redis.pin, caddy.pin.replace("docker.io", "ghcr.io")])).toBe(
        [
          "registry docker.io: registry-1.docker.io: no answer: name not resolved (it has library/redis:8.4.0)",
          again,
          "registry ghcr.io: ghcr.io: no answer: connect ECONNREFUSED 127.0.0.1:1 (it has library/caddy:2.11.7)",
          again,
        ].join("\n"),
      );
    } finally {
      addresses = { "docker.io": upstream.url, "ghcr.io": upstream.url };
    }
  });
});

test("a disk without room is named before a layer is fetched", async () => {
  expect(await refusal([redis.pin], 1_001e6)).toBe(
    [
      `disk at ${directory}: 1.0 GB free`,
      "  allowed: 1.0 GB or more",
      "  do: free some space, or set VPAI_CACHE to a directory on a larger disk",
    ].join("\n"),
  );
  expect(downloads()).toEqual([]);
});

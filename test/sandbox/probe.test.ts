import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { probe, probeRegistries } from "../../ops/images/source.ts";
import { Registries } from "../../shared/registry/client.ts";
import { type PushedImage, UpstreamRegistry } from "../support/upstream-registry.ts";

// Whether the public registries can be used, asked of a registry that stands in for them.

let home: string;
let upstream: UpstreamRegistry;
let redis: PushedImage;
const open: Registries[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-probe-"));
  upstream = await UpstreamRegistry.open(home);
  redis = await upstream.putImage("library/redis", "8.4.0", []);
});
afterEach(async () => {
  upstream.reset();
  for (const registries of open.splice(0)) await registries.destroy();
});
afterAll(async () => {
  await upstream.close();
  await rm(home, { recursive: true });
});

function ask(addresses: Record<string, string>, pins = [redis.pin]): Promise<string | undefined> {
  const registries = new Registries({ addresses, ca: upstream.ca.certPem, timeoutMs: 1_000, tries: 1 });
  open.push(registries);
  return probeRegistries(pins, registries);
}
const there = (): Record<string, string> => ({ "docker.io": upstream.url, "ghcr.io": upstream.url });

describe("registries", () => {
  test("that have the images are no obstacle; each is asked for one image, without a pull", async () => {
    const pins = [redis.pin, redis.pin.replace("docker.io", "ghcr.io")];
    expect(await ask(there(), pins)).toBeUndefined();
    const manifests = upstream.requests.filter((line) => line.includes("/manifests/") && line.endsWith("with token"));
    expect(manifests).toEqual(Array(2).fill(`HEAD /v2/library/redis/manifests/${redis.index} with token`));
  });

  test.each<[string, () => Promise<string | undefined> | string | undefined, string]>([
    [
      "whose names are not resolved",
      () => ask({ "docker.io": "https://registry-1.docker.invalid" }),
      "registry-1.docker.io: name not resolved",
    ],
    [
      "that refuse the connection",
      () => ask({ "docker.io": "https://127.0.0.1:1" }),
      "registry-1.docker.io: connect ECONNREFUSED 127.0.0.1:1",
    ],
    [
      "of which one does not answer",
      () =>
        ask({ ...there(), "ghcr.io": "https://127.0.0.1:1" }, [redis.pin, redis.pin.replace("docker.io", "ghcr.io")]),
      "ghcr.io: connect ECONNREFUSED 127.0.0.1:1",
    ],
    [
      "that say nothing",
      () => {
        upstream.plan(/./, "silence");
        return ask(there());
      },
      "registry-1.docker.io: no answer within 1 s",
    ],
    [
      "that are busy",
      () => {
        upstream.plan(/manifests/, { status: 429, headers: { "retry-after": "5" } });
        return ask(there());
      },
      "registry-1.docker.io: 429 too many requests",
    ],
    [
      "that are broken",
      () => {
        upstream.plan(/./, { status: 500 });
        return ask(there());
      },
      "registry-1.docker.io: answers 500",
    ],
    [
      "that give out no token",
      () => {
        upstream.tokens = "refuses";
        return ask(there());
      },
      "registry-1.docker.io: answers 401 for library/redis:8.4.0",
    ],
    [
      "without the image",
      () => ask(there(), [redis.pin.replace(/[0-9a-f]{64}$/, "0".repeat(64))]),
      "registry-1.docker.io: answers 404 for library/redis:8.4.0",
    ],
    [
      "whose certificate is not believed",
      () => probe([redis.pin], { VPAI_UPSTREAM_REGISTRIES: JSON.stringify(there()) }),
      "registry-1.docker.io: self-signed certificate in certificate chain",
    ],
  ])("%s are an obstacle", async (_name, asking, expected) => {
    expect(await asking()).toBe(expected);
  });

  test("in whose place something else answers are an obstacle", async () => {
    const portal = createServer((_, response) => response.writeHead(302, { location: "/login" }).end());
    await new Promise<void>((resolve) => portal.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
    const found = await ask({ "docker.io": url });
    await new Promise((resolve) => portal.close(resolve));
    expect(found).toMatch(/^registry-1\.docker\.io: /);
  });
});

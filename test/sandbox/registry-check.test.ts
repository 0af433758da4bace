import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { checkImages, faultsOf, type Finding } from "../../ops/images/check.ts";
import { Registries } from "../../shared/registry/client.ts";
import { renderFaults } from "../../shared/errors.ts";
import { parseImageRef } from "../../shared/image-ref.ts";
import { INDEX, type Planned, UpstreamRegistry } from "../support/upstream-registry.ts";

// The check of images against a real registry: Debian's docker-registry with tokens, over TLS.

const words = { replaced: (service: string) => service === "mine", again: "run the same command again" };
let home: string;
let upstream: UpstreamRegistry;
let redis: string;
let pauses: number[];
let lines: string[];
let registries: Registries;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-registry-check-"));
  upstream = await UpstreamRegistry.open(home);
  redis = await upstream.putPlatforms("library/redis", "8.4.0", ["linux/amd64", "linux/arm64", "unknown/unknown"]);
});
/** Registries that wait so long for an answer. A machine that builds images beside the tests answers late. */
const waiting = (timeoutMs: number): Registries =>
  new Registries({
    addresses: { [upstream.host]: upstream.url },
    ca: upstream.ca.certPem,
    timeoutMs,
    pause: async (ms) => pauses.push(ms),
  });

beforeEach(() => {
  [pauses, lines] = [[], []];
  registries = waiting(20_000);
});
afterEach(async () => {
  upstream.reset();
  await registries.destroy();
});
afterAll(async () => {
  await upstream.close();
  await rm(home, { recursive: true });
});

function check(
  pins: Readonly<Record<string, string>>,
  known: Readonly<Record<string, readonly string[]>> = {},
  platforms = ["linux/amd64"],
): Promise<Finding[]> {
  const images = Object.entries(pins).map(([service, pin]) => ({ pin: parseImageRef(pin), services: [service] }));
  return checkImages(registries, images, { platforms, known, report: (line) => lines.push(line) });
}

const faults = (findings: readonly Finding[]): string => renderFaults(faultsOf(findings, words));

describe("an image that is there", () => {
  test("is told with its platforms, by one request", async () => {
    const [finding] = await check({ redis });
    expect(finding?.verdict).toEqual({ kind: "there", platforms: ["linux/amd64", "linux/arm64"] });
    expect(lines).toEqual([`✓ redis  ${upstream.host}/library/redis:8.4.0  linux/amd64 linux/arm64`]);
    expect(upstream.requests.filter((line) => line.endsWith(" with token"))).toEqual([
      `GET /v2/library/redis/manifests/${redis.split("@")[1]} with token`,
    ]);
    expect(faults([finding as Finding])).toBe("");
  });

  test("is found where the registry sends to", async () => {
    const location = "/v2/library/redis/manifests/8.4.0";
    upstream.plan(/manifests\/sha256/, { status: 307, headers: { location } }, 2);
    expect((await check({ redis })).map(({ verdict }) => verdict.kind)).toEqual(["there"]);
  });

  test("whose platforms are known is asked for without counting as a pull", async () => {
    const [finding] = await check({ redis }, { [redis]: ["linux/amd64"] });
    expect(finding?.verdict).toEqual({ kind: "there", platforms: ["linux/amd64"] });
    expect(upstream.requests.filter((line) => line.includes("/manifests/"))).toEqual([
      `HEAD /v2/library/redis/manifests/${redis.split("@")[1]}`,
      `HEAD /v2/library/redis/manifests/${redis.split("@")[1]} with token`,
    ]);
  });
});

describe("a registry that wants a token", () => {
  test.each(["token", "access_token"] as const)("gives one out (%s), which serves again", async (name) => {
    upstream.tokens = name;
    const path = `/v2/library/redis/manifests/${redis.split("@")[1]}`;
    expect((await check({ redis })).map(({ verdict }) => verdict.kind)).toEqual(["there"]);
    expect((await check({ redis })).map(({ verdict }) => verdict.kind)).toEqual(["there"]);
    expect(upstream.requests).toEqual([
      `GET ${path}`,
      "GET /token?service=upstream&scope=repository%3Alibrary%2Fredis%3Apull",
      `GET ${path} with token`,
      `GET ${path} with token`,
    ]);
  });

  test("that has run out is asked for a new one", async () => {
    await check({ redis });
    upstream.requests.length = 0;
    upstream.plan(/manifests/, upstream.challenge("library/redis"), 1);
    expect((await check({ redis })).map(({ verdict }) => verdict.kind)).toEqual(["there"]);
    expect(upstream.requests.map((line) => line.replace(/\?.*|sha256.* with/, ""))).toEqual([
      "GET /v2/library/redis/manifests/ token",
      "GET /token",
      "GET /v2/library/redis/manifests/ token",
    ]);
  });

  test("and gives none out refuses", async () => {
    upstream.tokens = "refuses";
    expect(faults(await check({ redis }))).toBe(
      [
        `image of redis: ${redis}: refused (401): no such repository, or not a public one`,
        `  allowed: an image that ${upstream.host} has, pinned by the digest of the index of its platforms`,
        "  do: `./vpai images update redis` proposes another; the pin is in components/images.ts",
      ].join("\n"),
    );
  });
});

describe("an image that is not available", () => {
  test("is told for every image at once, by where its pin is written", async () => {
    const [zeros, ones] = ["0", "1"].map((digit) => `sha256:${digit.repeat(64)}`);
    const host = upstream.host;
    const single = await upstream.putSingle("a/single", "1");
    const arm = await upstream.putPlatforms("a/arm", "1", ["linux/arm64"]);
    const findings = await check({
      redis,
      gone: `${host}/library/redis:7@${zeros}`,
      mine: `${host}/library/redis:6@${ones}`,
      single,
      arm,
    });
    const allowed = `  allowed: an image that ${host} has, pinned by the digest of the index of its platforms`;
    expect(faults(findings)).toBe(
      [
        `image of gone: ${host}/library/redis:7@${zeros}: not found: manifest unknown`,
        allowed,
        "  do: `./vpai images update gone` proposes another; the pin is in components/images.ts",
        `vpai:images.mine: ${host}/library/redis:6@${ones}: not found: manifest unknown`,
        allowed,
        "  do: `pulumi config set --path vpai:images.mine <another>`, or `pulumi config rm --path vpai:images.mine`",
        `image of single: ${single}: not an index of platforms (application/vnd.oci.image.manifest.v1+json)`,
        allowed,
        "  do: `./vpai images update single` proposes another; the pin is in components/images.ts",
        `image of arm: ${arm}: not for linux/amd64, only for linux/arm64`,
        allowed,
        "  do: `./vpai images update arm` proposes another; the pin is in components/images.ts",
      ].join("\n"),
    );
    expect(lines.toSorted().map((line) => line.slice(0, 8))).toEqual([
      "✓ redis ",
      "✗ arm   ",
      "✗ gone  ",
      "✗ mine  ",
      "✗ single",
    ]);
  });

  test("because it has not the one platform that a server needs", async () => {
    const [finding] = await check({ redis }, {}, ["linux/amd64", "linux/s390x"]);
    expect(finding?.verdict).toMatchObject({ kind: "no-platform", missing: ["linux/s390x"] });
  });

  test("because the registry answers something else", async () => {
    const headers = { "content-type": INDEX };
    upstream.plan(/manifests/, { status: 200, headers, body: Buffer.from('{"schemaVersion":2}') });
    expect((await check({ redis })).map(({ verdict }) => verdict.kind)).toEqual(["altered"]);
  });
});

describe("a registry that does not do its part", () => {
  test.each<[string, readonly Planned[], number[]]>([
    ["is broken once", [{ status: 503 }], [1_000]],
    ["is broken twice", [{ status: 500 }, { status: 502 }], [1_000, 2_000]],
    ["is busy, and says when it is not", [{ status: 429, headers: { "retry-after": "7" } }], [7_000]],
    ["cuts the connection", ["cut"], [1_000]],
    ["is silent once", ["silence"], [1_000]],
  ])("but %s is asked again", async (_name, plan, expected) => {
    if (plan.includes("silence")) registries = waiting(1_000);
    for (const answer of plan) upstream.plan(/manifests/, answer, 1);
    expect((await check({ redis })).map(({ verdict }) => verdict.kind)).toEqual(["there"]);
    expect(pauses).toEqual(expected);
  });

  test("is told once, with every image that is open, and its other images are not asked for", async () => {
    upstream.plan(/manifests/, { status: 503 });
    const pins = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((name) => [name, redis]));
    const findings = await check(pins);
    expect(faults(findings)).toBe(
      [
        `registry ${upstream.host}: answers 503 (it has the image of a, b, c, d, e, f)`,
        "  do: run the same command again",
      ].join("\n"),
    );
    expect(upstream.requests.length).toBe(12);
    expect(lines.filter((line) => line.endsWith("not asked")).length).toBe(2);
  });

  test("wants to be left alone for longer than anybody waits", async () => {
    upstream.plan(/manifests/, { status: 429, headers: { "retry-after": "3600" } });
    expect(faults(await check({ redis }))).toContain(
      `registry ${upstream.host}: 429 too many requests; retry after 3600 s`,
    );
    expect(pauses).toEqual([]);
  });

  test("stays silent", async () => {
    registries = waiting(1_000);
    upstream.plan(/manifests/, "silence");
    expect(faults(await check({ redis }))).toContain(`registry ${upstream.host}: no answer: none within 1 s`);
  });

  test("is not there", async () => {
    const port = Number(upstream.host.split(":")[1]);
    await upstream.goAway();
    const said = faults(await check({ redis }));
    await upstream.comeBack(port);
    expect(said).toMatch(/no answer: connect ECONNREFUSED 127\.0\.0\.1/);
  });

  test("answers what nobody expects", async () => {
    upstream.plan(/manifests/, { status: 418 });
    expect(faults(await check({ redis }))).toContain("answers 418");
  });
});

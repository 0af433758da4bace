import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type PinnedImage, proposalLines, propose } from "../../ops/images/update.ts";
import { renderFaults } from "../../shared/errors.ts";
import { Registries } from "../../shared/registry/client.ts";
import { UpstreamRegistry } from "../support/upstream-registry.ts";

// `vpai images update` against a real registry: Debian's docker-registry with tokens, over TLS, and pages of tags.

const BOTH = ["linux/amd64", "linux/arm64"];
let home: string;
let upstream: UpstreamRegistry;
let registries: Registries;
let pauses: number[];
/** A repository of the test's own. */
let app: string;
let tests = 0;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-registry-update-"));
  upstream = await UpstreamRegistry.open(home);
});
beforeEach(() => {
  app = `app/app${(tests += 1)}`;
  pauses = [];
  registries = new Registries({
    addresses: { [upstream.host]: upstream.url },
    ca: upstream.ca.certPem,
    timeoutMs: 2_000,
    pause: async (ms) => pauses.push(ms),
  });
});
afterEach(async () => {
  upstream.reset();
  await registries.destroy();
});
afterAll(async () => {
  await upstream.close();
  await rm(home, { recursive: true });
});

const put = (tag: string, note = tag): Promise<string> => upstream.putPlatforms(app, tag, BOTH, note);
const digestOf = (pin: string): string => pin.split("@")[1] ?? "";
const image = (service: string, pin: string): PinnedImage => ({
  service,
  pin,
  versions: String.raw`^v\d+\.\d+\.\d+$`,
  notes: "https://example.com/releases/{tag}",
});

async function lines(images: readonly PinnedImage[], major = false): Promise<string[]> {
  const { proposals, faults } = await propose(registries, images, major);
  return [
    ...proposals.flatMap((proposal) => proposalLines(proposal, 5)),
    ...faults.map((fault) => renderFaults([fault])),
  ];
}

describe("a newer version", () => {
  test("is proposed with its digest and its notes", async () => {
    const pin = await put("v1.9.0");
    await put("v1.11.0-rc.1");
    const newest = await put("v1.10.0");
    expect(await lines([image("app", pin)])).toEqual([
      `app    v1.9.0 → v1.10.0  ${digestOf(newest)}`,
      "       https://example.com/releases/v1.10.0",
    ]);
  });

  test("is found on a later page of the list of tags, by one token for all pages", async () => {
    upstream.tagsPerPage = 3;
    const pin = await put("v1.0.0");
    for (const minor of [1, 2, 3, 4]) await put(`v1.${minor}.0`);
    expect((await lines([image("app", pin)]))[0]).toMatch(/^app {4}v1\.0\.0 → v1\.4\.0 /);
    const asked = upstream.requests.map((line) => line.replace(/&scope.*/, ""));
    // Each image is kept under a tag of its own too: ten tags.
    expect(asked.slice(0, 6)).toEqual([
      `GET /v2/${app}/tags/list?n=1000`,
      "GET /token?service=upstream",
      `GET /v2/${app}/tags/list?n=1000 with token`,
      `GET /v2/${app}/tags/list?n=3&last=v1.1.0 with token`,
      `GET /v2/${app}/tags/list?n=3&last=v1.2.0-image with token`,
      `GET /v2/${app}/tags/list?n=3&last=v1.4.0 with token`,
    ]);
  });

  test("is none in a list of tags that leads to itself for ever", async () => {
    const pin = await put("v1.0.0");
    const link = `</v2/${app}/tags/list?n=1000>; rel="next"`;
    const body = Buffer.from(JSON.stringify({ name: app, tags: ["v1.0.0"] }));
    upstream.plan(/tags\/list/, { status: 200, headers: { link }, body });
    expect(await lines([image("app", pin)])).toEqual(["app    v1.0.0 is the newest"]);
  });

  test("of another major is told, and taken only when that is wanted", async () => {
    const pin = await put("v1.0.0");
    const next = await put("v1.1.0");
    const major = await put("v2.0.0");
    expect(await lines([image("app", pin)])).toEqual([
      `app    v1.0.0 → v1.1.0  ${digestOf(next)}`,
      "       https://example.com/releases/v1.1.0",
      "       v2.0.0 is another major version (--major takes it): https://example.com/releases/v2.0.0",
    ]);
    expect((await lines([image("app", pin)], true))[0]).toBe(`app    v1.0.0 → v2.0.0  ${digestOf(major)}`);
  });

  test("is none: the pinned one is the newest", async () => {
    expect(await lines([image("app", await put("v1.0.0"))])).toEqual(["app    v1.0.0 is the newest"]);
  });

  test("is none, but the tag has been built again", async () => {
    const pin = await put("v1.0.0");
    const again = await put("v1.0.0", "built again");
    expect((await lines([image("app", pin)]))[0]).toBe(`app    v1.0.0, rebuilt under the same tag  ${digestOf(again)}`);
  });
});

describe("a registry that limits requests", () => {
  test("is waited for as long as it says, at the token, the list and the image", async () => {
    const pin = await put("v1.0.0");
    const next = await put("v1.1.0");
    upstream.plan(/GET \/token/, { status: 429, headers: { "retry-after": "2" } }, 1);
    upstream.plan(/tags\/list/, { status: 429, headers: { "retry-after": "3" } }, 1);
    upstream.plan(/manifests/, { status: 429 }, 1);
    expect((await lines([image("app", pin)]))[0]).toBe(`app    v1.0.0 → v1.1.0  ${digestOf(next)}`);
    expect(pauses).toEqual([3_000, 2_000, 1_000]);
  });

  test("for longer than anyone waits is named, with its time", async () => {
    const pin = await put("v1.0.0");
    upstream.plan(/tags\/list/, { status: 429, headers: { "retry-after": "3600" } });
    expect(await lines([image("app", pin)])).toEqual([
      [
        `image of app: ${upstream.host}/${app}: 429 too many requests, to be asked again in 3600 s`,
        `  allowed: an answer of ${upstream.host} with newer tags`,
        `  do: check that this machine reaches ${upstream.host}, then \`vpai images update app\``,
      ].join("\n"),
    ]);
    expect(pauses).toEqual([]);
  });
});

test("what cannot be looked up is a fault of its own, and the others are proposed", async () => {
  const pin = await put("v1.0.0");
  const single = await upstream.putPlatforms("a/single", "v1.0.0", BOTH);
  await upstream.putSingle("a/single", "v1.1.0");
  const gone = pin.replace(app, "a/gone");
  const said = await lines([image("gone", gone), image("app", pin), image("one", single)]);
  expect(said).toEqual([
    "app    v1.0.0 is the newest",
    expect.stringMatching(
      /^image of gone: .*a\/gone: list of tags: answers 404 \(repository name not known to registry\)\n/,
    ),
    expect.stringMatching(/^image of one: .*a\/single: v1\.1\.0: no index with linux\/amd64\n/),
  ]);
});

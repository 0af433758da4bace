import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Registries } from "../../../../shared/registry/client.ts";
import { replacePins, rewritePins } from "../../../../ops/images/rewrite.ts";
import { imagesToUpdate, type PinnedImage, proposalLines, propose } from "../../../../ops/images/update.ts";
import { OperatorError, renderFaults } from "../../../../shared/errors.ts";
import { FakeRegistry, MANIFEST } from "../../../support/fake-registry.ts";

let fake: FakeRegistry;
let registries: Registries;

beforeEach(async () => {
  fake = new FakeRegistry();
  await fake.open();
  registries = new Registries({ timeoutMs: 300, pause: () => Promise.resolve() });
});

afterEach(async () => {
  await registries.close();
  await fake.close();
});

const both = (): object => fake.index("linux/amd64", "linux/arm64");
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
    const pin = fake.put("app/app", "v1.9.0", both());
    fake.put("app/app", "v1.11.0-rc.1", both());
    const newest = fake.put("app/app", "v1.10.0", both());
    expect(await lines([image("app", pin)])).toEqual([
      `app    v1.9.0 → v1.10.0  ${digestOf(newest)}`,
      "       https://example.com/releases/v1.10.0",
    ]);
  });

  test("is found on a later page of the list of tags, behind a token", async () => {
    fake.auth = "token";
    fake.pageSize = 2;
    const pin = fake.put("app/app", "v1.0.0", both());
    for (const minor of [1, 2, 3, 4]) fake.put("app/app", `v1.${minor}.0`, both());
    expect((await lines([image("app", pin)]))[0]).toMatch(/^app {4}v1\.0\.0 → v1\.4\.0 /);
    expect(fake.requests.filter((request) => request.includes("/tags/list")).length).toBe(4);
  });

  test("is none in a list of tags that leads to itself for ever", async () => {
    const pin = fake.put("app/app", "v1.0.0", both());
    fake.pageSize = 0;
    expect(await lines([image("app", pin)])).toEqual(["app    v1.0.0 is the newest"]);
  });

  test("of another major is told, and taken only when that is wanted", async () => {
    const pin = fake.put("app/app", "v1.0.0", both());
    const next = fake.put("app/app", "v1.1.0", both());
    const major = fake.put("app/app", "v2.0.0", both());
    expect(await lines([image("app", pin)])).toEqual([
      `app    v1.0.0 → v1.1.0  ${digestOf(next)}`,
      "       https://example.com/releases/v1.1.0",
      "       v2.0.0 is another major version (--major takes it): https://example.com/releases/v2.0.0",
    ]);
    expect((await lines([image("app", pin)], true))[0]).toBe(`app    v1.0.0 → v2.0.0  ${digestOf(major)}`);
  });

  test("is none: the pinned one is the newest", async () => {
    expect(await lines([image("app", fake.put("app/app", "v1.0.0", both()))])).toEqual(["app    v1.0.0 is the newest"]);
  });

  test("is none, but the tag was rebuilt", async () => {
    const pin = fake.put("app/app", "v1.0.0", both());
    const anew = fake.put("app/app", "v1.0.0", { ...both(), built: "again" });
    expect((await lines([image("app", pin)]))[0]).toBe(`app    v1.0.0, rebuilt under the same tag  ${digestOf(anew)}`);
  });
});

test("what cannot be looked up is a fault of its own, and the others are proposed", async () => {
  const pin = fake.put("app/app", "v1.0.0", both());
  const single = fake.put("a/single", "v1.0.0", both());
  fake.put("a/single", "v1.1.0", { schemaVersion: 2 }, MANIFEST);
  const gone = pin.replace("app/app", "a/gone");
  const said = await lines([image("gone", gone), image("app", pin), image("one", single)]);
  expect(said).toEqual([
    "app    v1.0.0 is the newest",
    expect.stringMatching(/^image of gone: .*a\/gone: v1\.0\.0: answers 404 \(manifest unknown\)\n/),
    expect.stringMatching(/^image of one: .*a\/single: v1\.1\.0: no index with linux\/amd64\n/),
  ]);
});

describe("the images asked about", () => {
  const all = { app: image("app", "x"), redis: image("redis", "y") };
  test("are all, or one", () => {
    expect(imagesToUpdate(all, undefined).map(({ service }) => service)).toEqual(["app", "redis"]);
    expect(imagesToUpdate(all, "redis").map(({ service }) => service)).toEqual(["redis"]);
  });

  test("are not one that nobody knows", () => {
    expect(() => imagesToUpdate(all, "rediss")).toThrow("vpai images update: rediss\n  allowed: app, redis\n");
  });
});

describe("the file of images", () => {
  const text = 'a: "host.x/a:1@sha256:00",\nb: "host.x/b:1@sha256:00", // "host.x/b:1" stays\n';
  const b = { service: "b", from: "host.x/b:1@sha256:00", to: "host.x/b:2@sha256:11" };
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "vpai-images-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("has the new pin in the place of the old one, and is else as it was", async () => {
    const file = join(folder, "images.ts");
    await writeFile(file, text);
    await rewritePins(file, [b]);
    expect(await readFile(file, "utf8")).toBe(text.replace("b:1@sha256:00", "b:2@sha256:11"));
    expect(await readdir(folder)).toEqual(["images.ts"]);
  });

  test.each([
    ["nowhere", text.replace("b:1@", "b:3@"), "stands nowhere in the file of images"],
    ["twice", text + text, "stands 2 times in the file of images"],
  ])("is not touched when the old pin is there %s", async (_name, content, message) => {
    const file = join(folder, "images.ts");
    await writeFile(file, content);
    await expect(rewritePins(file, [b])).rejects.toThrow(OperatorError);
    await expect(rewritePins(file, [b])).rejects.toThrow(message);
    expect(await readFile(file, "utf8")).toBe(content);
    expect(() => replacePins(content, [b])).toThrow(message);
  });
});

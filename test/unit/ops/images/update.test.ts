import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { replacePins, rewritePins } from "../../../../ops/images/rewrite.ts";
import { imagesToUpdate, type PinnedImage } from "../../../../ops/images/update.ts";
import { OperatorError } from "../../../../shared/errors.ts";

const image = (service: string, pin: string): PinnedImage => ({
  service,
  pin,
  versions: String.raw`^v\d+\.\d+\.\d+$`,
  notes: "https://example.com/releases/{tag}",
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

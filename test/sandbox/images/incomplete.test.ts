import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ensureLayer } from "../../../sandbox/images/layers.ts";
import { publishImages } from "../../../sandbox/images/publish.ts";
import type { Recipe } from "../../../sandbox/images/recipe.ts";
import { type Backend, startBackend } from "../../../sandbox/registry/backend.ts";
import { BlobStore } from "../../../sandbox/registry/blob-store.ts";
import { OperatorError } from "../../../shared/errors.ts";
import { run } from "../../../shared/exec.ts";
import { ensureDebianFiles } from "../../../toolchain/debian.ts";

// What a full disk, a power cut or an older version has left in the cache is never used as it is.

const PIN = `docker.io/library/thing:1@sha256:${"0".repeat(64)}`;
const MB = 1_000_000;
const content = randomBytes(8 * MB);
let made = 0;

/** An image of one layer that is made at once. */
const recipe: Recipe = {
  name: "thing",
  repositories: ["docker.io/library/thing"],
  kind: "real",
  folder: join(import.meta.dirname, "../../../sandbox/images/redis"),
  layers: async (report) => {
    const produce = (): Promise<Buffer> => {
      made += 1;
      return Promise.resolve(content);
    };
    return [await ensureLayer("thing", { version: 1 }, report, produce)];
  },
  finish: () => Promise.resolve({ entries: [], config: {} }),
};

const cacheBefore = process.env["VPAI_CACHE"];
let home: string;
let cache: string;
let binary: string;
let backend: Backend | undefined;
let lines: string[];

beforeEach(async () => {
  binary = join(
    await ensureDebianFiles("docker-registry", ["/usr/bin/docker-registry"], () => undefined),
    "usr/bin/docker-registry",
  );
  home = await mkdtemp(join(tmpdir(), "vpai-incomplete-"));
  [cache, lines, made] = [join(home, "cache"), [], 0];
  await mkdir(cache);
  process.env["VPAI_CACHE"] = cache;
});
afterEach(async () => {
  await backend?.close();
  backend = undefined;
  if (cacheBefore === undefined) delete process.env["VPAI_CACHE"];
  else process.env["VPAI_CACHE"] = cacheBefore;
  if ((await readFile("/proc/mounts", "utf8")).includes(` ${cache} `)) await run("umount", [cache]);
  await rm(home, { recursive: true });
});

const store = (): string => join(cache, "registry");
async function publish(): Promise<{ readonly digest: string; readonly address: string }> {
  backend ??= await startBackend({ store: store(), binary, log: () => undefined });
  const refs = await publishImages({
    pins: [PIN],
    pushAddress: backend.address,
    store: store(),
    report: (line) => lines.push(line),
    recipes: [recipe],
  });
  return { digest: (refs[PIN] ?? "").split("@")[1] ?? "", address: backend.address };
}

/** The image as a server pulls it: every byte that its index leads to. */
async function pulled({ digest, address }: { digest: string; address: string }): Promise<Buffer> {
  const accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";
  const get = async (path: string): Promise<Buffer> => {
    const answer = await fetch(`http://${address}/v2/library/thing/${path}`, { headers: { accept } });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  const index = JSON.parse((await get(`manifests/${digest}`)).toString()) as { manifests: [{ digest: string }] };
  const text = (await get(`manifests/${index.manifests[0].digest}`)).toString();
  const { config, layers } = JSON.parse(text) as { config: { digest: string }; layers: [{ digest: string }] };
  await get(`blobs/${config.digest}`);
  return get(`blobs/${layers[0].digest}`);
}

/** The one file of that name below a folder of the cache. */
async function only(folder: string, name: RegExp): Promise<string> {
  const all = await readdir(join(cache, folder), { recursive: true, withFileTypes: true });
  const [file] = all.filter((entry) => entry.isFile() && name.test(entry.name));
  if (file === undefined) throw new Error(`no ${String(name)} in ${folder}`);
  return join(file.parentPath, file.name);
}

describe("a disk that is full", () => {
  const mount = (megabytes: number, more = ""): Promise<unknown> =>
    run("mount", ["-t", "tmpfs", "-o", `${more}size=${megabytes}m`, "tmpfs", cache]);

  test.each([
    ["while a layer is made", 4, 2],
    ["while a layer is pushed", 12, 1],
  ])("%s is named, and nothing of it is used when there is room", async (_name, megabytes, times) => {
    await mount(megabytes);
    const refused = await publish().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OperatorError);
    expect((refused as Error).message).toMatch(
      new RegExp(
        `^disk at ${cache}: full: \\d+\\.\\d MB free\n {2}do: free some space, or set VPAI_CACHE to a directory on a larger disk; ` +
          "what was not finished is made again$",
      ),
    );
    await mount(64, "remount,");
    expect((await pulled(await publish())).equals(content)).toBe(true);
    expect(made).toBe(times);
    expect((await readdir(join(cache, "layers"))).filter((name) => name.includes("making"))).toEqual([]);
  });
});

describe("a cache that is not whole", () => {
  const damages: readonly [string, () => Promise<void>][] = [
    ["a layer is cut short", async () => truncate(await only("layers", /^layer\.tar$/), MB)],
    ["a layer has no description", async () => rm(await only("layers", /^layer\.json$/))],
    ["a layer's description is cut short", async () => truncate(await only("layers", /^layer\.json$/), 9)],
    ["a layer is described as in another version", async () => writeFile(await only("layers", /^layer\.json$/), "[1]")],
  ];

  test.each(damages)("because %s makes it again", async (_name, damage) => {
    await publish();
    await damage();
    // A new image of the same layer: the registry has none of it either.
    await rm(join(cache, "published"), { recursive: true });
    await backend?.close();
    backend = undefined;
    await rm(store(), { recursive: true });
    expect((await pulled(await publish())).equals(content)).toBe(true);
    expect(made).toBe(2);
  });

  test.each<[string, (digest: string) => Promise<void>]>([
    ["its record is cut short", async () => truncate(await only("published", /json$/), 20)],
    ["its record is empty", async () => truncate(await only("published", /json$/), 0)],
    [
      "its record is one of an older version",
      async (digest) =>
        writeFile(await only("published", /json$/), JSON.stringify({ pin: PIN, recipe: "thing", digest })),
    ],
    ["its index is cut short", (digest) => truncate(new BlobStore(store()).file(digest), 10)],
    ["its index is empty", (digest) => truncate(new BlobStore(store()).file(digest), 0)],
    ["its layer is cut short", async () => truncate(await largest(), MB)],
    ["its layer is gone", async () => rm(await largest())],
    [
      "the notes of what belongs to it are empty",
      async () => {
        const folder = join(store(), "docker/registry/v2/repositories/library/thing");
        for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
          if (entry.isFile() && entry.name === "link") await truncate(join(entry.parentPath, entry.name), 0);
        }
      },
    ],
  ])("because %s serves the image whole again, without making a layer", async (_name, damage) => {
    const { digest } = await publish();
    await damage(digest);
    expect((await pulled(await publish())).equals(content)).toBe(true);
    expect(made).toBe(1);
    lines.length = 0;
    await publish();
    expect(lines).toEqual([]);
  });

  /** The layer's file in the registry. */
  async function largest(): Promise<string> {
    const layer = JSON.parse(await readFile(await only("layers", /^layer\.json$/), "utf8")) as { digest: string };
    return new BlobStore(store()).file(layer.digest);
  }
});

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { OperatorError } from "../../shared/errors.ts";
import { type ImageRef, parseImageRef, withDigest } from "../../shared/image-ref.ts";
import { jsonIn } from "../../shared/registry/response.ts";
import { cacheDir, cachePath, contentKey } from "../../toolchain/cache.ts";
import { fullDisk } from "../../toolchain/checks.ts";
import { BlobStore, type Descriptor } from "../registry/blob-store.ts";
import { pushBlob, pushManifest, sha256, tagManifest } from "../registry/push.ts";
import { digestOf } from "../registry/registry.ts";
import type { Layer } from "./layers.ts";
import type { Finish, Recipe } from "./recipe.ts";
import { recipeKey } from "./recipe.ts";
import { recipes as allRecipes } from "./recipes.ts";
import { writeTar } from "./tar.ts";

export interface PublishOptions {
  /** `repo:tag@sha256:digest`, as the services write them. */
  readonly pins: readonly string[];
  /** The registry's plain-http address on this machine. */
  readonly pushAddress: string;
  /** The directory of its files. */
  readonly store: string;
  /** Told a line for each image that is made; silent when there is nothing to do. */
  readonly report: (line: string) => void;
  /** @default those of the sandbox */
  readonly recipes?: readonly Recipe[];
}

/**
 * Makes and pushes what the registry lacks, and answers each pin with the same `repo:tag` at the digest it has
 * here. Throws one {@link OperatorError} that names every repository without a recipe, before anything is made.
 */
export async function publishImages(options: PublishOptions): Promise<Record<string, string>> {
  const pins = [...new Set(options.pins)].map(parseImageRef);
  const chosen = chooseRecipes(pins, options.recipes);
  const refs = await Promise.all(chosen.map(({ pin, recipe }) => publishOne(pin, recipe, options))).catch(
    (error: unknown) => {
      const full = fullDisk(error, [cacheDir(), tmpdir()]);
      throw full ? new OperatorError(full) : error;
    },
  );
  return Object.fromEntries(chosen.map(({ pin }, index) => [pin.text, refs[index] as string]));
}

/** The recipe of each pin. */
export function chooseRecipes(
  pins: readonly ImageRef[],
  recipes: readonly Recipe[] = allRecipes,
): { pin: ImageRef; recipe: Recipe }[] {
  const unknown = new Set<string>();
  const chosen = pins.flatMap((pin) => {
    const recipe = recipes.find(({ repositories }) => repositories.includes(pin.repository));
    if (recipe === undefined) unknown.add(pin.repository);
    return recipe === undefined ? [] : [{ pin, recipe }];
  });
  if (unknown.size > 0) {
    const known = recipes.flatMap((recipe) => recipe.repositories);
    throw new OperatorError(
      [...unknown].map((repository) => ({
        key: "image",
        found: `${repository} (the sandbox has no recipe for it)`,
        allowed: [...new Set(known)].sort().join(", "),
        fix: "add a recipe in sandbox/images/ and list it in sandbox/images/recipes.ts",
      })),
    );
  }
  return chosen;
}

/** Whether the sandbox makes a fake for this pin. */
export function isFake(pin: string): boolean {
  return chooseRecipes([parseImageRef(pin)]).some(({ recipe }) => recipe.kind === "fake");
}

async function publishOne(pin: ImageRef, recipe: Recipe, options: PublishOptions): Promise<string> {
  const { report } = options;
  const record = cachePath("published", `${contentKey(await recipeKey(recipe), pin.text)}.json`);
  const known = published(await readFile(record, "utf8").catch(ifMissing));
  if (known !== undefined && (await isServed(pin, known, options))) return withDigest(pin, known.digest);
  const begun = Date.now();
  const [layers, finish] = await Promise.all([recipe.layers(report), recipe.finish(pin.tag)]);
  const made = await pushImage(pin, recipe, layers, finish, options);
  await mkdir(dirname(record), { recursive: true });
  await writeFile(`${record}.${process.pid}`, JSON.stringify({ pin: pin.text, recipe: recipe.name, ...made }));
  await rename(`${record}.${process.pid}`, record);
  report(`image ${pin.repository}:${pin.tag} (${recipe.kind}, ${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  return withDigest(pin, made.digest);
}

/** What was published: the index, and the files below it. */
interface Published {
  readonly digest: string;
  readonly manifest: Descriptor;
  readonly blobs: readonly Descriptor[];
}

/** What a record says; undefined when there is none, or it is cut short, or of a version that noted less. */
function published(text: string | undefined): Published | undefined {
  const { digest, manifest, blobs } = (jsonIn(text ?? "") ?? {}) as Partial<Published>;
  return digest && manifest && Array.isArray(blobs) ? { digest, manifest, blobs } : undefined;
}

/** Whether the registry has all of an image. Its tag may name another pin's image by now, and is then set back. */
async function isServed(
  { path, tag }: ImageRef,
  { digest, manifest, blobs }: Published,
  { pushAddress, store }: PublishOptions,
): Promise<boolean> {
  const files = new BlobStore(store);
  for (const blob of blobs) if (!(await files.has(path, blob, "blob"))) return false;
  if (!(await files.has(path, manifest, "manifest"))) return false;
  if ((await digestOf(pushAddress, path, tag)) === digest) return true;
  if ((await digestOf(pushAddress, path, digest)) !== digest) return false;
  await tagManifest(pushAddress, path, digest, tag);
  return true;
}

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;
const architecture = process.arch === "arm64" ? "arm64" : "amd64";

/** Pushes an index of one platform, as upstream's pins are indexes too. */
async function pushImage(
  pin: ImageRef,
  recipe: Recipe,
  layers: readonly Layer[],
  finish: Finish,
  { pushAddress: registry, store }: PublishOptions,
): Promise<Published> {
  const files = new BlobStore(store);
  const thin = writeTar([...finish.entries, { kind: "file", path: "VERSION", content: pin.tag + "\n" }]);
  const own = { digest: sha256(thin), size: thin.length, content: { bytes: thin } };
  const stack = [...layers.map((layer) => ({ ...layer, content: { file: layer.file } })), own];
  const config = Buffer.from(
    JSON.stringify(
      imageConfig(
        pin,
        recipe,
        finish,
        stack.map(({ digest }) => digest),
      ),
    ),
  );
  const configBlob = { digest: sha256(config), size: config.length, content: { bytes: config } };
  // One at a time: the same layer may be in two images, and the second then finds it there.
  for (const blob of [...stack, configBlob]) {
    await files.removeIfIncomplete(pin.path, blob, "blob");
    await pushBlob(registry, pin.path, blob);
  }
  const manifest = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, digest: configBlob.digest, size: configBlob.size },
    layers: stack.map(({ digest, size }) => ({ mediaType: types.layer, digest, size })),
  });
  const index = json({
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [
      {
        mediaType: types.manifest,
        digest: sha256(manifest),
        size: manifest.length,
        platform: { architecture, os: "linux" },
      },
    ],
  });
  for (const [reference, type, body] of [
    [sha256(manifest), types.manifest, manifest],
    [pin.tag, types.index, index],
  ] as const) {
    // What is there already is not written again, whole or not.
    await files.removeIfDamaged(pin.path, sha256(body), "manifest");
    await pushManifest(registry, pin.path, reference, type, body);
  }
  const described = ({ digest, size }: Descriptor): Descriptor => ({ digest, size });
  return {
    digest: sha256(index),
    manifest: { digest: sha256(manifest), size: manifest.length },
    blobs: [...stack, configBlob].map(described),
  };
}

function imageConfig(pin: ImageRef, recipe: Recipe, finish: Finish, diffIds: readonly string[]): object {
  const labels = {
    "org.opencontainers.image.version": pin.tag,
    "org.opencontainers.image.title": recipe.kind === "fake" ? `${recipe.name} (a sandbox fake)` : recipe.name,
    "vpai.sandbox.recipe": recipe.name,
    "vpai.sandbox.kind": recipe.kind,
    "vpai.sandbox.stands-for": pin.digest,
  };
  const env = finish.config.Env ?? [];
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return {
    created: "2023-11-14T22:13:20Z", // the instant of every file in it, so that the same content is the same image
    architecture,
    os: "linux",
    config: {
      ...finish.config,
      Env: env.some((line) => line.startsWith("PATH=")) ? env : [path, ...env],
      Labels: labels,
    },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: diffIds.map(() => ({ created_by: `vpai sandbox recipe ${recipe.name}` })),
  };
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

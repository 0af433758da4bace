import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { OperatorError } from "../../shared/errors.ts";
import { type ImageRef, parseImageRef, withDigest } from "../../shared/image-ref.ts";
import { cachePath, contentKey } from "../../toolchain/cache.ts";
import { pushBlob, pushManifest, sha256, tagManifest } from "../registry/push.ts";
import { digestOf } from "../registry/registry.ts";
import type { Layer } from "./layers.ts";
import type { Finish, Recipe } from "./recipe.ts";
import { recipeKey } from "./recipe.ts";
import { recipes } from "./recipes.ts";
import { writeTar } from "./tar.ts";

export interface PublishOptions {
  /** `repo:tag@sha256:digest`, as the services write them. */
  readonly pins: readonly string[];
  /** The registry's plain-http address on this machine. */
  readonly pushAddress: string;
  /** The product itself where the default is a fake. */
  readonly full: boolean;
  /** Told a line for each image that is made; silent when there is nothing to do. */
  readonly report: (line: string) => void;
}

/**
 * Makes and pushes what the registry lacks, and answers each pin with the same `repo:tag` at the digest it has
 * here. Throws one {@link OperatorError} that names every repository without a recipe, before anything is made.
 */
export async function publishImages(options: PublishOptions): Promise<Record<string, string>> {
  const pins = [...new Set(options.pins)].map(parseImageRef);
  const chosen = chooseRecipes(pins, options.full);
  const refs = await Promise.all(chosen.map(({ pin, recipe }) => publishOne(pin, recipe, options)));
  return Object.fromEntries(chosen.map(({ pin }, index) => [pin.text, refs[index] as string]));
}

/** The recipe of each pin. */
export function chooseRecipes(pins: readonly ImageRef[], full: boolean): { pin: ImageRef; recipe: Recipe }[] {
  const unknown = new Set<string>();
  const chosen = pins.flatMap((pin) => {
    const candidates = recipes.filter((recipe) => recipe.repositories.includes(pin.repository));
    const recipe = candidates.find(({ kind }) => kind === (full ? "real" : "fake")) ?? candidates[0];
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

async function publishOne(pin: ImageRef, recipe: Recipe, options: PublishOptions): Promise<string> {
  const { pushAddress, report } = options;
  const record = cachePath("published", `${contentKey(await recipeKey(recipe), pin.text)}.json`);
  const known = await readFile(record, "utf8").then(
    (text) => (JSON.parse(text) as { digest: string }).digest,
    () => undefined,
  );
  if (known !== undefined && (await isServed(pin, known, pushAddress))) return withDigest(pin, known);
  const begun = Date.now();
  const [layers, finish] = await Promise.all([recipe.layers(report), recipe.finish(pin.tag)]);
  const digest = await pushImage(pin, recipe, layers, finish, pushAddress);
  await mkdir(dirname(record), { recursive: true });
  await writeFile(`${record}.${process.pid}`, JSON.stringify({ pin: pin.text, recipe: recipe.name, digest }));
  await rename(`${record}.${process.pid}`, record);
  report(`image ${pin.repository}:${pin.tag} (${recipe.kind}, ${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  return withDigest(pin, digest);
}

/** Whether the registry has the digest. Its tag may name another pin's image by now, and is then set back. */
async function isServed(pin: ImageRef, digest: string, registry: string): Promise<boolean> {
  if ((await digestOf(registry, pin.path, pin.tag)) === digest) return true;
  if ((await digestOf(registry, pin.path, digest)) !== digest) return false;
  await tagManifest(registry, pin.path, digest, pin.tag);
  return true;
}

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;
const architecture = process.arch === "arm64" ? "arm64" : "amd64";

/** Pushes an index of one platform, as upstream's pins are indexes too; answers its digest. */
async function pushImage(
  pin: ImageRef,
  recipe: Recipe,
  layers: readonly Layer[],
  finish: Finish,
  registry: string,
): Promise<string> {
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
  for (const blob of [...stack, configBlob]) await pushBlob(registry, pin.path, blob);
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
  await pushManifest(registry, pin.path, sha256(manifest), types.manifest, manifest);
  await pushManifest(registry, pin.path, pin.tag, types.index, index);
  return sha256(index);
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

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

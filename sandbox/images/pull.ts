import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, OperatorError } from "../../shared/errors.ts";
import { apiHost, type ImageRef, parseImageRef } from "../../shared/image-ref.ts";
import type { Registries } from "../../shared/registry/client.ts";
import { type Answer, RegistryTrouble } from "../../shared/registry/response.ts";
import { checkDisk, freeDisk } from "../../toolchain/checks.ts";
import type { Descriptor } from "../registry/blob-store.ts";
import { sha256 } from "../registry/push.ts";
import { type PullThrough, type PullThroughCaches, UPSTREAM } from "../registry/pull-through.ts";
import { isComplete, remember } from "./complete.ts";
import { contentOf, type ImageContent, platformManifest } from "./manifest.ts";

export interface PullOptions {
  /** `repo:tag@sha256:digest`, as the services write them. */
  readonly pins: readonly string[];
  readonly caches: PullThroughCaches;
  /** Asks the registries themselves, past the caches: only they report why something is not available. */
  readonly registries: Pick<Registries, "manifest" | "blob">;
  readonly report: (line: string) => void;
  /** Free bytes where the caches are. @default measured */
  readonly free?: () => number;
  /** Waits; tests do not. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

/** Downloads under way at a time, and how often each is tried. */
const AT_ONCE = 4;
const TRIES = 3;
const PAUSE_MS = 1_000;
/** What stays free on the disk: the servers unpack the images there. */
const SPARE_BYTES = 1e9;

/** Why an image is not available: its own fault, or its registry's. */
class PullFailure extends Error {
  readonly of: "image" | "registry";

  constructor(of: "image" | "registry", found: string) {
    super(found);
    this.of = of;
  }
}

/**
 * Has each image whole in the cache of its registry, for the platform of this machine: every file is there, and is what its
 * digest stands for. Answers each pin with itself.
 *
 * @throws OperatorError with every image and every registry at fault
 */
export async function pullImages(options: PullOptions): Promise<Record<string, string>> {
  const { caches, pins } = options;
  const images = [...new Set(pins)].map(parseImageRef);
  refuseForeign(images);
  const complete = await Promise.all(images.map((image) => isComplete(image, caches)));
  const missing = images.filter((_, index) => complete[index] !== true);
  if (missing.length > 0) await pullMissing(missing, options);
  return Object.fromEntries(images.map(({ text }) => [text, text]));
}

function refuseForeign(images: readonly ImageRef[]): void {
  const foreign = images.filter(({ host }) => !(host in UPSTREAM));
  if (foreign.length === 0) return;
  const allowed = `images of ${Object.keys(UPSTREAM).join(", ")}`;
  const fix = "choose another image, or add the registry in sandbox/registry/pull-through.ts";
  throw new OperatorError(
    foreign.map(({ text, host }) => ({ key: "image", found: `${text} (no cache for ${host})`, allowed, fix })),
  );
}

async function pullMissing(images: readonly ImageRef[], options: PullOptions): Promise<void> {
  const { caches, report } = options;
  const failures = new Map<ImageRef, PullFailure>();
  const down = new Map<string, PullFailure>();
  let broken = false;
  /** Runs the work for each image; an image that failed, or whose registry did, is left out of what follows. */
  const each = async <T>(work: (image: ImageRef, cache: PullThrough) => Promise<T>): Promise<Map<ImageRef, T>> => {
    const results = new Map<ImageRef, T>();
    const queue = images.filter((image) => !failures.has(image)).values();
    const next = async (): Promise<void> => {
      for (const image of queue) {
        if (broken) return;
        try {
          const failed = down.get(image.host);
          if (failed) throw failed;
          results.set(image, await work(image, await caches.online(image.host)));
        } catch (error) {
          broken = !(error instanceof PullFailure);
          if (!(error instanceof PullFailure)) throw error;
          failures.set(image, error);
          if (error.of === "registry") down.set(image.host, error);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    return results;
  };
  // One after another for one registry: it may have to be started.
  for (const host of new Set(images.map((image) => image.host))) await caches.online(host);
  const contents = await each((image, cache) => readContent(image, cache, options));
  requireDisk(await missingBytes(contents, caches), options);
  const copying = new Map<string, Promise<void>>();
  await each(async (image, cache) => {
    const begun = Date.now();
    const content = contents.get(image) as ImageContent;
    for (const blob of content.blobs) await once(copying, blob.digest, () => keep(image, blob, cache, options));
    await remember(image, content, caches);
    const bytes = content.blobs.reduce((sum, { size }) => sum + size, 0);
    const seconds = ((Date.now() - begun) / 1000).toFixed(1);
    report(`image ${image.repository}:${image.tag} (pulled, ${(bytes / 1e6).toFixed(1)} MB, ${seconds} s)`);
  });
  if (failures.size > 0) throw new OperatorError(faultsOf(images, failures));
}

/** The manifests of an image, each proven by its digest. */
async function readContent(image: ImageRef, cache: PullThrough, options: PullOptions): Promise<ImageContent> {
  const index = await provenManifest(image, image.digest, cache, options);
  const platform = platformManifest(index);
  if (platform === undefined) return contentOf([[image.digest, index]]);
  if (platform === "none") throw new PullFailure("image", `has no image for linux/${process.arch}`);
  return contentOf([
    [image.digest, index],
    [platform, await provenManifest(image, platform, cache, options)],
  ]);
}

async function provenManifest(
  image: ImageRef,
  digest: string,
  cache: PullThrough,
  options: PullOptions,
): Promise<string> {
  // It would be served as it is, and not fetched again.
  if (await cache.store.removeIfDamaged(image.path, digest, "manifest")) options.report(damaged(image, digest));
  return tried<string>(image, options, { manifest: digest }, async () => {
    const fetched = await cache.manifest(image.path, digest);
    if ("why" in fetched) return { why: fetched.why };
    if (sha256(fetched.body) === digest) return { value: fetched.body };
    throw new PullFailure("image", `${apiHost(image.host)} answers something else than what ${digest} stands for`);
  });
}

async function keep(image: ImageRef, blob: Descriptor, cache: PullThrough, options: PullOptions): Promise<void> {
  if (await cache.store.removeIfDamaged(image.path, blob.digest, "blob")) options.report(damaged(image, blob.digest));
  if (await cache.store.has(image.path, blob, "blob")) return;
  await tried<undefined>(image, options, { blob: blob.digest }, async () => {
    const kept = await cache.keep(image.path, blob);
    return "why" in kept ? kept : { value: undefined };
  });
}

type Wanted = { readonly manifest: string } | { readonly blob: string };

/** Tries a download a few times. When it fails, its registry is asked: the cache does not say what that answered. */
async function tried<T>(
  image: ImageRef,
  options: PullOptions,
  wanted: Wanted,
  attempt: () => Promise<{ readonly value: T } | { readonly why: string }>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await attempt();
    if ("value" in outcome) return outcome.value;
    // A file that does not fit fails in words that say nothing of the disk.
    requireDisk(1, options);
    await requireThere(image, wanted, options.registries);
    if (tries < TRIES) {
      await (options.pause ?? sleep)(PAUSE_MS * tries);
      continue;
    }
    const what = "blob" in wanted ? `layer ${wanted.blob}` : `manifest ${wanted.manifest}`;
    throw new PullFailure("image", `${what}, which ${apiHost(image.host)} has: ${outcome.why}`);
  }
}

/** @throws PullFailure with what the registry itself says, unless it has what is wanted */
async function requireThere(image: ImageRef, wanted: Wanted, registries: PullOptions["registries"]): Promise<void> {
  const host = apiHost(image.host);
  let answer: Answer;
  try {
    answer =
      "blob" in wanted
        ? await registries.blob(image, wanted.blob)
        : await registries.manifest(image, wanted.manifest, "HEAD");
  } catch (error) {
    if (!(error instanceof RegistryTrouble)) throw error;
    throw new PullFailure("registry", `${host}: ${error.inWords()}`);
  }
  const { status } = answer;
  if (status < 400) return;
  if (status === 404) throw new PullFailure("image", `${host} does not have it (404)`);
  if (status === 401 || status === 403) {
    throw new PullFailure("image", `${host} refuses (${status}): no such repository, or none that everybody may read`);
  }
  throw new PullFailure("registry", `${host}: answers ${status}`);
}

/** One fault for each image, and one for each registry with all of its images. */
function faultsOf(all: readonly ImageRef[], byImage: ReadonlyMap<ImageRef, PullFailure>): Fault[] {
  const failures = all.flatMap((image): [ImageRef, PullFailure][] => {
    const failure = byImage.get(image);
    return failure ? [[image, failure]] : [];
  });
  const built = "images made here do without it: `./vpai start --images built`, in a sandbox without a server";
  const own = failures.filter(([, failure]) => failure.of === "image");
  const images = own.map(([{ repository, tag, digest }, failure]) => ({
    key: `image ${repository}:${tag}`,
    found: failure.message,
    allowed: `what its registry has as ${digest}`,
    fix: `correct the image (\`./vpai images update\` proposes another); ${built}`,
  }));
  const hosts = new Set(failures.flatMap(([{ host }, { of }]) => (of === "registry" ? [host] : [])));
  const registries = [...hosts].map((host) => {
    const open = failures.filter(([image, { of }]) => of === "registry" && image.host === host);
    const names = open.map(([{ path, tag }]) => `${path}:${tag}`).join(", ");
    return {
      key: `registry ${host}`,
      found: `${open[0]?.[1].message ?? ""} (it has ${names})`,
      fix: `see that this machine reaches it, and run the same command again; ${built}`,
    };
  });
  return [...images, ...registries];
}

async function missingBytes(contents: ReadonlyMap<ImageRef, ImageContent>, caches: PullThroughCaches): Promise<number> {
  const missing = new Map<string, number>();
  for (const [image, { blobs }] of contents) {
    for (const blob of blobs) {
      if (!(await caches.store(image.host).has(image.path, blob, "blob"))) missing.set(blob.digest, blob.size);
    }
  }
  return [...missing.values()].reduce((sum, size) => sum + size, 0);
}

function requireDisk(bytes: number, { caches, free }: PullOptions): void {
  if (bytes === 0) return;
  const { directory } = caches.options;
  const faults = checkDisk(directory, free?.() ?? freeDisk(directory), bytes + SPARE_BYTES);
  if (faults.length > 0) throw new OperatorError(faults);
}

/** The same blob is in several images: each repository gets it in turn. */
async function once(copying: Map<string, Promise<void>>, digest: string, work: () => Promise<void>): Promise<void> {
  const before = copying.get(digest) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(work);
  copying.set(digest, mine);
  await mine;
}

const damaged = ({ repository, tag }: ImageRef, digest: string): string =>
  `image ${repository}:${tag}: ${digest} is damaged in the cache, and fetched again`;

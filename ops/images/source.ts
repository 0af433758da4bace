import { OperatorError } from "../../shared/errors.ts";
import { apiHost, type ImageRef, parseImageRef } from "../../shared/image-ref.ts";
import type { Registries } from "../../shared/registry/client.ts";
import { header, RegistryTrouble } from "../../shared/registry/response.ts";
import type { ImageSource } from "../../sandbox/image-sources.ts";
import { SANDBOX } from "../stack/context.ts";

/** How long a probe of all registries may take together. */
const PROBE_MS = 4_000;

/** Where a sandbox's images come from, and why. */
export interface Choice {
  readonly source: ImageSource;
  /** One line for the operator. */
  readonly line: string;
}

export interface Situation {
  readonly instance: string;
  /** `--images`. */
  readonly asked: ImageSource | undefined;
  /** What the sandbox has had so far. */
  readonly kept: ImageSource | undefined;
  /** Whether it has servers: what is on them was made by the images that they run. */
  readonly hasServers: boolean;
}

/**
 * Decides where the images of a sandbox come from: what it has had, else what is asked for, else what the probe finds.
 *
 * @param probe what keeps the public registries from being used; undefined when nothing does
 * @throws OperatorError when another source is asked for than the one that its servers' images are of
 */
export async function chooseSource(
  { instance, asked, kept, hasServers }: Situation,
  probe: () => Promise<string | undefined>,
): Promise<Choice> {
  // A sandbox of the time before there was a choice has images made here.
  const bound = hasServers ? (kept ?? "built") : undefined;
  if (asked !== undefined && bound !== undefined && asked !== bound) {
    const flag = instance === SANDBOX ? "" : ` --instance ${instance}`;
    throw new OperatorError({
      key: "--images",
      found: `${asked}, and the servers of this sandbox run images of the other kind (${bound})`,
      allowed: bound,
      fix: `leave it out; or \`./vpai sandbox down${flag}\` first, or take another sandbox (--instance)`,
    });
  }
  const given = asked ?? bound ?? kept;
  if (given !== undefined) return { source: given, line: lineOf(given, asked ? "--images" : "as before") };
  const obstacle = await probe();
  if (obstacle === undefined) return { source: "upstream", line: lineOf("upstream") };
  return { source: "built", line: lineOf("built", obstacle) };
}

function lineOf(source: ImageSource, why?: string): string {
  const what = source === "upstream" ? "upstream, pulled through the sandbox's cache" : "built here";
  return `images: ${what}${why === undefined ? "" : ` (${why})`}`;
}

/**
 * Asks the registries of the images, one image of each and all at once, as a pull would: is it a registry, and does it have what
 * the pin says? The first obstacle, in a few words; undefined when there is none.
 */
export async function probeRegistries(
  pins: readonly string[],
  registries: Pick<Registries, "root" | "manifest">,
): Promise<string | undefined> {
  const images = new Map(pins.map(parseImageRef).map((image) => [image.host, image]));
  const obstacles = await Promise.all([...images.values()].map((image) => obstacleAt(image, registries)));
  return obstacles.find((obstacle) => obstacle !== undefined);
}

async function obstacleAt(
  image: ImageRef,
  registries: Pick<Registries, "root" | "manifest">,
): Promise<string | undefined> {
  const host = apiHost(image.host);
  const late = new Promise<string>((resolve) => {
    setTimeout(() => resolve(`${host}: no answer within ${PROBE_MS / 1_000} s`), PROBE_MS).unref();
  });
  const found = ask(image, registries).catch((error: unknown) => {
    if (error instanceof RegistryTrouble)
      return error.message.replace(/^no answer: (?:none)?/, (prefix) => (prefix.endsWith("none") ? "no answer" : ""));
    throw error;
  });
  return Promise.race([found.then((why) => (why === undefined ? undefined : `${host}: ${why}`)), late]);
}

async function ask(image: ImageRef, registries: Pick<Registries, "root" | "manifest">): Promise<string | undefined> {
  const root = await registries.root(image);
  if (root.status !== 200 && root.status !== 401) return `answers ${root.status}, which no registry does`;
  const manifest = await registries.manifest(image, image.digest, "HEAD");
  const name = `${image.path}:${image.tag}`;
  if (manifest.status !== 200) return `answers ${manifest.status} for ${name}`;
  const digest = header(manifest, "docker-content-digest");
  return digest === undefined || digest === image.digest ? undefined : `answers another digest for ${name}`;
}

/** {@link probeRegistries} over the network of this machine. */
export async function probe(pins: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { Registries: Client } = await import("../../shared/registry/client.ts");
  const { replacedAddresses } = await import("../../shared/registry/upstream.ts");
  const registries = new Client({ addresses: replacedAddresses(env), timeoutMs: PROBE_MS, tries: 1 });
  // Not waited for: what has not been answered by now is of no interest.
  return probeRegistries(pins, registries).finally(() => void registries.destroy());
}

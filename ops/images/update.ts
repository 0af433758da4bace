import { createHash } from "node:crypto";
import { type Fault, OperatorError } from "../../shared/errors.ts";
import { parseImageRef, type ImageRef, withDigest } from "../../shared/image-ref.ts";
import { type Answer, errorIn, header, RegistryTrouble } from "../../shared/registry/response.ts";
import { AT_ONCE } from "./check.ts";
import { judge } from "./manifest-status.ts";
import type { Registries } from "../../shared/registry/client.ts";
import { newerThan, notesOf } from "./versions.ts";

/** An image of the file of images. */
export interface PinnedImage {
  readonly service: string;
  readonly pin: string;
  readonly versions: string;
  readonly notes: string;
}

/** What is proposed for one image. */
export interface Proposal {
  readonly service: string;
  readonly pin: ImageRef;
  /** The pin to take instead; none when the pinned one is the newest. */
  readonly to?: ImageRef;
  readonly notes: string;
  /** A tag of another major version, with its release notes. */
  readonly major?: { readonly tag: string; readonly notes: string };
}

const PLATFORM = "linux/amd64";

/**
 * Looks up what is newer than a pin: the newest tag of its kind, of the same major version unless any is wanted; else
 * the same tag, if it was rebuilt.
 *
 * @throws RegistryTrouble
 */
async function proposalFor(registries: Registries, image: PinnedImage, anyMajor: boolean): Promise<Proposal> {
  const { service, versions, notes } = image;
  const pin = parseImageRef(image.pin);
  const { same, major } = newerThan(pin.tag, await registries.allTags(pin), versions);
  const tag = (anyMajor ? major : undefined) ?? same ?? pin.tag;
  const to = await resolve(registries, pin, tag);
  return {
    service,
    pin,
    notes: notesOf(notes, tag),
    ...(to.text !== pin.text && { to }),
    ...(major !== undefined && major !== tag && { major: { tag: major, notes: notesOf(notes, major) } }),
  };
}

/** The pin of a tag as it is now. */
async function resolve(registries: Registries, pin: ImageRef, tag: string): Promise<ImageRef> {
  const answer: Answer = await registries.manifest(pin, tag, "GET");
  if (answer.status !== 200) {
    throw new RegistryTrouble(`${tag}: answers ${answer.status} (${errorIn(answer.body) ?? "no reason given"})`);
  }
  const digest = `sha256:${createHash("sha256").update(answer.body).digest("hex")}`;
  const declared = header(answer, "docker-content-digest");
  if (declared !== undefined && declared !== digest)
    throw new RegistryTrouble(`${tag}: answers something else than ${declared}`);
  const tagged = parseImageRef(withDigest({ ...pin, tag }, digest));
  const verdict = judge(tagged, answer, [PLATFORM]);
  if (verdict.kind !== "there") throw new RegistryTrouble(`${tag}: no index with ${PLATFORM}`);
  return tagged;
}

/** What a person reads of a proposal; `width` is the longest service's name. */
export function proposalLines({ service, pin, to, notes, major }: Proposal, width: number): string[] {
  const name = service.padEnd(width);
  const indent = " ".repeat(width);
  const change = to?.tag === pin.tag ? `${pin.tag}, rebuilt under the same tag` : `${pin.tag} → ${to?.tag}`;
  return [
    ...(to ? [`${name}  ${change}  ${to.digest}`, `${indent}  ${notes}`] : [`${name}  ${pin.tag} is the newest`]),
    ...(major ? [`${indent}  ${major.tag} is another major version (--major takes it): ${major.notes}`] : []),
  ];
}

/** One fault for each cause: without a network it is the same for every registry. */
function troubleFaults(troubles: readonly { image: PinnedImage; trouble: RegistryTrouble }[]): Fault[] {
  const causes = new Map<string, { images: PinnedImage[]; hosts: Set<string> }>();
  for (const { image, trouble } of troubles) {
    const { host } = parseImageRef(image.pin);
    const reason = trouble.inWords().replaceAll(host, "the registry");
    const cause = causes.get(reason) ?? { images: [], hosts: new Set() };
    cause.images.push(image);
    cause.hosts.add(host);
    causes.set(reason, cause);
  }
  return [...causes].map(([reason, { images, hosts }]) => {
    const services = images.map(({ service }) => service);
    const [only] = images;
    const host = [...hosts].join(", ");
    return {
      key: `image of ${services.join(", ")}`,
      found: images.length === 1 && only ? `${parseImageRef(only.pin).repository}: ${reason}` : reason,
      allowed: `an answer of ${host} with newer tags`,
      fix: `check that this machine reaches ${host}, then \`vpai images update${images.length === 1 ? ` ${services[0]}` : ""}\``,
    };
  });
}

/** The images asked about: one service's, or all. */
export function imagesToUpdate(
  all: Readonly<Record<string, Omit<PinnedImage, "service">>>,
  service: string | undefined,
): PinnedImage[] {
  const list = Object.entries(all).map(([name, image]) => ({ service: name, ...image }));
  const chosen = list.filter((image) => service === undefined || image.service === service);
  if (chosen.length > 0) return chosen;
  throw new OperatorError({
    key: "vpai images update",
    found: service ?? "no image",
    allowed: Object.keys(all).join(", "),
    fix: "name one of them, or none for all",
  });
}

/** Proposals in the order of the images, and what was in the way of the others. */
export async function propose(registries: Registries, chosen: readonly PinnedImage[], anyMajor: boolean) {
  const outcomes: (Proposal | RegistryTrouble)[] = [];
  const queue = chosen.entries();
  const work = async (): Promise<void> => {
    for (const [index, image] of queue) {
      outcomes[index] = await proposalFor(registries, image, anyMajor).catch((error: unknown) => {
        if (error instanceof RegistryTrouble) return error;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return {
    proposals: outcomes.flatMap((outcome) => (outcome instanceof RegistryTrouble ? [] : [outcome])),
    faults: troubleFaults(
      outcomes.flatMap((trouble, index) => {
        const image = chosen[index];
        return trouble instanceof RegistryTrouble && image ? [{ image, trouble }] : [];
      }),
    ),
  };
}

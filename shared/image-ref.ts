import { OperatorError } from "./errors.ts";

/** A pinned image, taken apart: `docker.io/library/redis:8.10.2-alpine@sha256:…`. */
export interface ImageRef {
  /** As given. */
  readonly text: string;
  /** Registry and path: `docker.io/library/redis`. */
  readonly repository: string;
  /** The registry as references name it: `docker.io`; with a port, if it has one. */
  readonly host: string;
  /** Without the host, as the registry's API has it: `library/redis`. */
  readonly path: string;
  readonly tag: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
}

/** What an image must look like, for the "allowed" line of an error. */
export const IMAGE_REF_FORM =
  "host/repository:tag@sha256:<64 hexadecimal digits>, such as docker.io/library/redis:8.10.2-alpine@sha256:…";

const label = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const component = "[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*";
// A first part without a dot or a port is a part of Docker Hub's path, to Docker; here the registry is always written.
const host = `(?:${label}(?:[.]${label})+(?::[0-9]{1,5})?|${label}:[0-9]{1,5}|localhost)`;
const shape = new RegExp(
  `^(${host})/(${component}(?:/${component})*):([A-Za-z0-9_][A-Za-z0-9._-]{0,127})@(sha256:[0-9a-f]{64})$`,
);
const LONGEST_REPOSITORY = 255;

/** Parses `host/path:tag@sha256:digest`; undefined for anything less. */
export function tryImageRef(text: string): ImageRef | undefined {
  const [, named = "", written = "", tag = "", digest = ""] = shape.exec(text) ?? [];
  if (named === "" || named.length + 1 + written.length > LONGEST_REPOSITORY) return undefined;
  const hub = named === "docker.io" || named === "index.docker.io";
  // Docker Hub has two names, and keeps the images that are its own in `library`.
  const path = hub && !written.includes("/") ? `library/${written}` : written;
  const at = hub ? "docker.io" : named;
  return { text, repository: `${at}/${path}`, host: at, path, tag, digest };
}

/** @throws OperatorError unless the text is an image with its registry, tag and digest */
export function parseImageRef(text: string): ImageRef {
  const parsed = tryImageRef(text);
  if (parsed !== undefined) return parsed;
  throw new OperatorError({
    key: "image",
    found: text,
    allowed: IMAGE_REF_FORM,
    fix: "write the image with its registry, its tag and its digest",
  });
}

/** The image with another digest. */
export function withDigest({ repository, tag }: ImageRef, digest: string): string {
  return `${repository}:${tag}@${digest}`;
}

/** The host name that a registry's API is under. */
export function apiHost(registry: string): string {
  return registry === "docker.io" ? "registry-1.docker.io" : registry;
}

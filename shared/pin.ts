import { OperatorError } from "./errors.ts";

/** An image reference with nothing left open: `docker.io/library/redis:8.10.2-alpine@sha256:…`, taken apart. */
export interface Pin {
  /** As given. */
  readonly text: string;
  /** With the host: `docker.io/library/redis`. */
  readonly repository: string;
  /** `docker.io`; with a port, if it has one. */
  readonly host: string;
  /** Without the host, as registries have it in paths: `library/redis`. */
  readonly path: string;
  readonly tag: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
}

const shape = /^([a-z0-9.-]+(?::\d+)?)\/([a-z0-9._/-]+):([A-Za-z0-9_][A-Za-z0-9._-]{0,127})@(sha256:[0-9a-f]{64})$/;

/** Whether a text is a complete image reference: {@link parsePin} accepts it. */
export function isPin(text: string): boolean {
  return shape.exec(text)?.[1]?.includes(".") === true;
}

/** Parses `host/path:tag@sha256:digest`. Throws an {@link OperatorError} on anything less. */
export function parsePin(text: string): Pin {
  const [, host, path, tag, digest] = shape.exec(text) ?? [];
  if (host === undefined || path === undefined || tag === undefined || digest === undefined || !isPin(text)) {
    throw new OperatorError({
      key: "image",
      found: text,
      allowed: "host/repository:tag@sha256:<64 hex digits>, e.g. docker.io/library/redis:8.10.2-alpine@sha256:…",
      fix: "write the image with its registry, its tag and its digest",
    });
  }
  return { text, repository: `${host}/${path}`, host, path, tag, digest };
}

/** The pin with another digest. */
export function withDigest(pin: Pin, digest: string): string {
  return `${pin.repository}:${pin.tag}@${digest}`;
}

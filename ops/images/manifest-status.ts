import { createHash } from "node:crypto";
import type { ImageRef } from "../../shared/image-ref.ts";
import { type Answer, errorIn, header, isIndex, jsonIn } from "../../shared/registry/response.ts";

/** The status of a pinned image by its registry's answer. */
export type Verdict =
  | { readonly kind: "there"; readonly platforms: readonly string[] }
  /** The registry has no such digest (any more). */
  | { readonly kind: "not-found"; readonly reason: string }
  /** No such repository, or not a public one. */
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "not-index"; readonly type: string }
  | { readonly kind: "no-platform"; readonly platforms: readonly string[]; readonly missing: readonly string[] }
  /** The content does not match the digest. */
  | { readonly kind: "altered" }
  /** Unknown: the registry failed to answer properly. */
  | { readonly kind: "open"; readonly reason: string; readonly retryAfterSeconds?: number | undefined }
  /** Not asked, because the registry had not answered for another image. */
  | { readonly kind: "not-asked" };

/**
 * Classifies the answer to a request for the manifest of the pin's digest.
 *
 * @param known the platforms, where they are known: a digest's do not change, and the answer to a HEAD has none
 */
export function judge(
  { digest }: ImageRef,
  answer: Answer,
  wanted: readonly string[],
  known?: readonly string[],
): Verdict {
  const { status, body } = answer;
  if (status === 404) return { kind: "not-found", reason: errorIn(body) ?? "manifest unknown" };
  if (status === 401 || status === 403) return { kind: "refused", status };
  if (status !== 200) return { kind: "open", reason: `answers ${status}` };
  const type = (header(answer, "content-type") ?? "of no type").split(";")[0]?.trim() ?? "";
  if (!isIndex(type)) return { kind: "not-index", type };
  if (known === undefined && sha256(body) !== digest) return { kind: "altered" };
  const platforms = known ?? platformsIn(body);
  const missing = wanted.filter((platform) => !platforms.includes(platform));
  return missing.length === 0 ? { kind: "there", platforms } : { kind: "no-platform", platforms, missing };
}

/** `os/architecture` of each image that an index lists; attestations, which have none, are no images. */
export function platformsIn(index: string): string[] {
  const { manifests = [] } = (jsonIn(index) ?? {}) as {
    manifests?: readonly { platform?: { os?: string; architecture?: string } }[];
  };
  const names = manifests.flatMap(({ platform }) =>
    platform?.os && platform.os !== "unknown" ? [`${platform.os}/${platform.architecture ?? "unknown"}`] : [],
  );
  return [...new Set(names)];
}

const sha256 = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

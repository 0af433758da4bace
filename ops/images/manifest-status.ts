import { createHash } from "node:crypto";
import type { ImageRef } from "../../shared/image-ref.ts";
import { type Answer, errorIn, header, isIndex, jsonIn } from "./registry/response.ts";

/** What a registry's answer says of a pinned image. */
export type Verdict =
  | { readonly kind: "there"; readonly platforms: readonly string[] }
  /** The registry has no such digest (any more). */
  | { readonly kind: "gone"; readonly said: string }
  /** No such repository, or none that everybody may read. */
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "not-index"; readonly type: string }
  | { readonly kind: "no-platform"; readonly platforms: readonly string[]; readonly missing: readonly string[] }
  /** Something else than what the digest stands for. */
  | { readonly kind: "altered" }
  /** The question stays open: the registry did not do its part. */
  | { readonly kind: "open"; readonly said: string; readonly retryAfterSeconds?: number | undefined }
  /** Not asked, because the registry had not answered for another image. */
  | { readonly kind: "not-asked" };

/**
 * Judges the answer to a request for the manifest of the pin's digest.
 *
 * @param known the platforms, where they have been learned before: a digest's do not change, and a HEAD tells none
 */
export function judge(
  { digest }: ImageRef,
  answer: Answer,
  wanted: readonly string[],
  known?: readonly string[],
): Verdict {
  const { status, body } = answer;
  if (status === 404) return { kind: "gone", said: errorIn(body) ?? "manifest unknown" };
  if (status === 401 || status === 403) return { kind: "refused", status };
  if (status !== 200) return { kind: "open", said: `answers ${status}` };
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

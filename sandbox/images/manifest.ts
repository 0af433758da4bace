import { isIndex, jsonIn } from "../../shared/registry/response.ts";
import type { Descriptor } from "../registry/blob-store.ts";

/** Every file of an image, for one platform. */
export interface ImageContent {
  readonly manifests: readonly Descriptor[];
  readonly blobs: readonly Descriptor[];
}

interface Listed extends Descriptor {
  readonly mediaType?: string;
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
}

interface Manifest {
  readonly mediaType?: string;
  readonly manifests?: readonly Listed[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

const parsed = (text: string): Manifest => (jsonIn(text) ?? {}) as Manifest;

/**
 * The digest of the image for a platform in an index; "none" when it lists none, and undefined when the text is no index but an
 * image's own manifest.
 */
export function platformManifest(text: string, architecture: string = process.arch): string | "none" | undefined {
  const { mediaType = "", manifests } = parsed(text);
  if (!isIndex(mediaType) && manifests === undefined) return undefined;
  const wanted = architecture === "x64" ? "amd64" : architecture;
  const found = manifests?.find(({ platform }) => platform?.os === "linux" && platform.architecture === wanted);
  return found?.digest ?? "none";
}

/** What the manifests name, with the manifests themselves; the last one is the image's own. */
export function contentOf(manifests: readonly (readonly [digest: string, text: string])[]): ImageContent {
  const { config, layers = [] } = parsed(manifests.at(-1)?.[1] ?? "");
  const blobs = new Map([...(config ? [config] : []), ...layers].map(({ digest, size }) => [digest, { digest, size }]));
  return {
    manifests: manifests.map(([digest, text]) => ({ digest, size: Buffer.byteLength(text) })),
    blobs: [...blobs.values()],
  };
}

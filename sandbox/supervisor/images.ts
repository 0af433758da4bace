import { join } from "node:path";
import { replacedAddresses } from "../../shared/registry/upstream.ts";
import { cacheDir } from "../../toolchain/cache.ts";
import type { PublishRequest } from "../control/control.ts";
import type { FaultBook } from "../control/fault-injector.ts";
import { publishImages } from "../images/publish.ts";
import { pullImages } from "../images/pull.ts";
import type { Site } from "../network/tls-terminator.ts";
import { pulledFolder, PullThroughCaches } from "../registry/pull-through.ts";
import { openRegistry } from "../registry/registry.ts";
import type { ImageSource } from "../image-sources.ts";

export interface SandboxImagesOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly faults: FaultBook;
  /** Where the images have come from so far. */
  readonly source: ImageSource | undefined;
  /** Notes where they come from, for the next supervisor. */
  readonly remember: (source: ImageSource) => Promise<void>;
  readonly log: (line: string) => void;
}

/** What the servers of a sandbox pull: images that are made here, or those of the public registries, through a cache. */
export interface SandboxImages {
  readonly site: Site;
  /** Has the images served; answers each pin with what stands for it here. */
  publish(request: PublishRequest, report: (line: string) => void): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function openImages(options: SandboxImagesOptions): Promise<SandboxImages> {
  const { env, faults, log } = options;
  let { source } = options;
  const addresses = replacedAddresses(env);
  const caches = new PullThroughCaches({ directory: pulledFolder(addresses), addresses, env, log });
  const store = join(cacheDir(), "registry");
  const { pushAddress, site, close } = await openRegistry({
    store,
    elsewhere: (name) => (source === "upstream" ? caches.addressOf(name) : undefined),
    faults,
    log,
  });
  const pull = async (pins: readonly string[], report: (line: string) => void): Promise<Record<string, string>> => {
    // Loaded only where images are pulled: it costs a tenth of a second.
    const { Registries } = await import("../../shared/registry/client.ts");
    const registries = new Registries({ addresses });
    return pullImages({ pins, caches, registries, report }).finally(() => registries.close());
  };
  return {
    site,
    async publish({ pins, from }, report) {
      const lock =
        from === "upstream" ? await pull(pins, report) : await publishImages({ pins, pushAddress, store, report });
      if (from !== source) await options.remember(from);
      source = from;
      return lock;
    },
    async close() {
      await caches.close();
      await close();
    },
  };
}

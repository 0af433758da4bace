import { basename } from "node:path";
import { ensureCa } from "../../../sandbox/network/ca.ts";
import { FaultBook } from "../../../sandbox/control/fault-injector.ts";
import { pushBlob, pushManifest, sha256 } from "../../../sandbox/registry/push.ts";
import { registryNames, startRegistry } from "../../../sandbox/registry/registry.ts";
import type { Bench } from "./container-harness.ts";
import { docker } from "./container-harness.ts";

/** An empty registry under the names of the public ones, for the containers of a bench. */
export interface PublicRegistry {
  /** Options of `docker run` that lead a container to it. */
  readonly options: readonly string[];
  /** The authority that has signed its certificate. */
  readonly caFile: string;
  readonly faults: FaultBook;
  /** Gives a tag an image, another one for other content. Answers its digest. */
  tag(path: string, tag: string, content?: string): Promise<string>;
  close(): Promise<void>;
}

const type = "application/vnd.oci.image.manifest.v1+json";

export async function openPublicRegistry(bench: Bench): Promise<PublicRegistry> {
  // The bench's folder is named after its network.
  const network = basename(bench.home).replace(/-[^-]*$/, "");
  const gateway = await docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", network);
  const [faults, ca] = [new FaultBook(), await ensureCa(bench.home)];
  const store = `${bench.home}/public-registry`;
  const registry = await startRegistry({ host: gateway, port: 443, ca, store, faults, log: () => undefined });
  return {
    options: registryNames.flatMap((name) => ["--add-host", `${name}:${gateway}`]),
    caFile: ca.certFile,
    faults,
    async tag(path, tag, content = tag) {
      // DIUN ends when it lists an image that has none.
      const created = "2026-01-01T00:00:00Z";
      const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", created, content }));
      const blob = { digest: sha256(config), size: config.length, content: { bytes: config } };
      await pushBlob(registry.pushAddress, path, blob);
      const manifest = {
        schemaVersion: 2,
        mediaType: type,
        layers: [],
        config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: blob.digest, size: blob.size },
      };
      const text = Buffer.from(JSON.stringify(manifest));
      await pushManifest(registry.pushAddress, path, tag, type, text);
      return sha256(text);
    },
    close: () => registry.close(),
  };
}

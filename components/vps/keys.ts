import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

/**
 * An ed25519 key pair that lives as long as the stack: another one would invalidate every copy of the public half
 * (known_hosts, Hetzner, the machine itself).
 */
export function permanentKey(name: string, parent: pulumi.Resource, protect: boolean): tls.PrivateKey {
  return new tls.PrivateKey(name, { algorithm: "ED25519" }, { parent, protect, ignoreChanges: ["algorithm"] });
}

/** Public key without comment or end of line, so that it compares equal wherever it has been. */
export function publicKey(key: tls.PrivateKey): pulumi.Output<string> {
  return key.publicKeyOpenssh.apply((text) => text.trim().split(/\s+/).slice(0, 2).join(" "));
}

import { gzipSync } from "node:zlib";
import { stringify } from "yaml";

export interface CloudInitArgs {
  /** The machine's host key pair, OpenSSH format. */
  readonly hostKey: { readonly private: string; readonly public: string };
  /** The bootstrap script, complete. */
  readonly bootstrap: string;
}

/** Hetzner refuses user data beyond this many bytes (API reference, create a server). */
export const USER_DATA_LIMIT = 32_768;

/**
 * cloud-init user data: the host key that the program already knows, and the bootstrap, run once at first boot.
 * Everything else comes later over SSH, because user data cannot change without a new machine.
 */
export function renderCloudInit({ hostKey, bootstrap }: CloudInitArgs): string {
  const config = {
    ssh_pwauth: false,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey.private, ed25519_public: hostKey.public.trim() },
    // Compressed: as it is, it comes close to the limit.
    write_files: [
      {
        path: "/root/vpai-bootstrap",
        owner: "root:root",
        permissions: "0700",
        encoding: "gz+b64",
        content: gzipSync(bootstrap, { level: 9 }).toString("base64"),
      },
    ],
    runcmd: [["bash", "/root/vpai-bootstrap"]],
  };
  const text = `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
  if (Buffer.byteLength(text) > USER_DATA_LIMIT) {
    throw new Error(`cloud-init user data has ${Buffer.byteLength(text)} bytes; Hetzner takes ${USER_DATA_LIMIT}`);
  }
  return text;
}

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { StackInput } from "../../../ops/settings/check.ts";
import { PROJECT_ROOT } from "../../../shared/paths.ts";
import { Encrypter } from "./encrypted.ts";

/** What a case changes of a stack that is right. */
export interface Change {
  readonly stack?: string;
  /** Plain settings; undefined takes one away. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Encrypted settings. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Variables; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The stack file's text, and that of Pulumi.yaml. */
  readonly file?: (text: string) => string;
  readonly project?: (text: string) => string;
}

const PASSPHRASE = "the passphrase of this test";
export const TOKEN = "hcloudtoken0".repeat(6).slice(0, 64);
export const API_KEY = `sk-ant-api03-${"a1B2-_".repeat(15)}AA`;
export const HETZNER = { provider: "hetzner", serverType: "cx33", location: "fsn1" };
export const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";
export const EXISTING = { provider: "existing", address: "10.0.0.7", hostKey: HOST_KEY, memoryMb: 8192 };

const project = readFileSync(join(PROJECT_ROOT, "Pulumi.yaml"), "utf8");
let encrypter: Encrypter | undefined;

/** A stack that has no fault, with the change. */
export function stackInput(change: Change = {}): StackInput {
  encrypter ??= new Encrypter(PASSPHRASE);
  const { encrypt, salt } = { encrypt: encrypter.encrypt.bind(encrypter), salt: encrypter.salt };
  const secrets = Object.entries(change.secrets ?? {}).map(([key, text]) => [`vpai:${key}`, { secure: encrypt(text) }]);
  const plain = Object.entries({ domain: "ai.your.domain", vps: HETZNER, ...change.config }).map(([key, value]) => [
    `vpai:${key}`,
    value,
  ]);
  const config = Object.fromEntries([...plain, ...secrets]) as Record<string, unknown>;
  const text = stringify({ config, encryptionsalt: salt }, { lineWidth: 0 });
  return {
    stack: change.stack ?? "prod",
    project: (change.project ?? String)(project),
    file: (change.file ?? String)(text),
    env: {
      PULUMI_BACKEND_URL: "file:///tmp",
      PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
      HCLOUD_TOKEN: TOKEN,
      ANTHROPIC_API_KEY: API_KEY,
      ...change.env,
    },
  };
}

// By OpenSSH itself: one in 256 of the keys that ssh2 generates has a leading zero byte too few, and no program reads it.
function generated(passphrase = ""): string {
  const folder = mkdtempSync(join(tmpdir(), "vpai-key-"));
  try {
    const path = join(folder, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-a", "1", "-N", passphrase, "-f", path]);
    return readFileSync(path, "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A private key of this run, and one with a passphrase. */
export const KEY = generated();
export const LOCKED = generated("a passphrase");

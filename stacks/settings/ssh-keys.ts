import { createPrivateKey } from "node:crypto";
import { createRequire } from "node:module";
import type * as Ssh2 from "ssh2";

// Loaded where there is a key to parse: it costs a tenth of a second.
const require = createRequire(import.meta.url);
const parse = (text: string): Ssh2.ParsedKey | Ssh2.ParsedKey[] | Error =>
  (require("ssh2") as typeof Ssh2).utils.parseKey(text);

const OPENSSH = "-----BEGIN OPENSSH PRIVATE KEY-----";

/** Why the text is not a private key that the engine's SSH client takes; undefined when it is one. */
export function privateKeyProblem(text: string): string | undefined {
  const key = text.trim();
  if (/^(ssh-|ecdsa-)/.test(key)) return "a public key";
  if (key.startsWith("PuTTY-User-Key-File")) return "a key of PuTTY";
  if (!key.startsWith("-----BEGIN ")) return "not a private key";
  if (!key.includes("\n")) return "a private key on one line: its line breaks are missing";
  if (!/-----END [A-Z ]*PRIVATE KEY-----$/.test(key)) return "a private key without its last line";
  if (/^Proc-Type: 4,ENCRYPTED|BEGIN ENCRYPTED/m.test(key)) return "a private key that has a passphrase";
  return key.startsWith(OPENSSH) ? opensshProblem(key) : pemProblem(key);
}

function opensshProblem(key: string): string | undefined {
  const parsed = parse(key);
  if (!(parsed instanceof Error)) return undefined;
  return /encrypted/i.test(parsed.message) ? "a private key that has a passphrase" : "a damaged private key";
}

function pemProblem(key: string): string | undefined {
  try {
    createPrivateKey(key);
    return undefined;
  } catch {
    // OpenSSL's own words name its routines, not what is wrong with the file.
    return "a damaged private key";
  }
}

/** Why the text is not a public host key; undefined when it is one. */
export function hostKeyProblem(text: string): string | undefined {
  const parsed = parse(text.trim());
  const [key] = Array.isArray(parsed) ? parsed : [parsed];
  if (key === undefined || key instanceof Error) return "which does not decode";
  return key.type === text.trim().split(" ")[0] ? undefined : `which is a key of the type ${key.type}`;
}

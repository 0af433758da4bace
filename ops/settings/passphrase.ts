import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { statSync, readFileSync } from "node:fs";
import { type Fault, OperatorError } from "../../shared/errors.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** How the engine makes a key of a passphrase: pulumi/pulumi sdk/go/common/resource/config/crypt.go. */
const ROUNDS = 1_000_000;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
/** What the engine encrypts into the salt, to know a wrong passphrase. */
const KNOWN_TEXT = "pulumi";

const ALLOWED = "the passphrase of the stack's secrets, in PULUMI_CONFIG_PASSPHRASE or in a file that one names";

/** The passphrase of the environment, as the engine reads it; undefined when none is set. */
export function passphraseOf(env: Env): { readonly passphrase?: string; readonly faults: readonly Fault[] } {
  const { PULUMI_CONFIG_PASSPHRASE: direct, PULUMI_CONFIG_PASSPHRASE_FILE: path } = env;
  const fault = (key: string, found: string, fix: string) => ({ faults: [{ key, found, allowed: ALLOWED, fix }] });
  if (direct !== undefined && direct.trim() === "")
    return fault("PULUMI_CONFIG_PASSPHRASE", "empty", "set it, or unset it and name a file");
  if (direct !== undefined) return { passphrase: direct, faults: [] };
  if (path === undefined || path === "") return { faults: [] };
  const read = tryRead(path);
  if ("problem" in read)
    return fault("PULUMI_CONFIG_PASSPHRASE_FILE", `${path}, ${read.problem}`, "name the file with your passphrase");
  // The engine trims the file too.
  const passphrase = read.text.trim();
  return passphrase === ""
    ? fault("PULUMI_CONFIG_PASSPHRASE_FILE", `${path}, which is empty`, "put the passphrase into it")
    : { passphrase, faults: [] };
}

function tryRead(path: string): { readonly text: string } | { readonly problem: string } {
  try {
    if (statSync(path).isDirectory()) return { problem: "which is a folder" };
    return { text: readFileSync(path, "utf8") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { problem: "which does not exist" };
    if (code === "EACCES") return { problem: "which you may not read" };
    throw error;
  }
}

const derived = new Map<string, Buffer>();

/** Derived once: it takes a third of a second of processor time. */
function keyOf(passphrase: string, salt: string): Buffer {
  const known = derived.get(`${salt} ${passphrase}`);
  const key = known ?? pbkdf2Sync(passphrase, Buffer.from(salt, "base64"), ROUNDS, KEY_BYTES, "sha256");
  derived.set(`${salt} ${passphrase}`, key);
  return key;
}

/** Decrypts the secrets of a stack's file as the engine does, without it. */
export class Decrypter {
  readonly #key: Buffer;

  /** @throws OperatorError when the passphrase is not the one that the salt was made with */
  constructor(salt: string, passphrase: string, stack: string) {
    const [, version, text = "", ...check] = /^(v1):([^:]+):(v1:[^:]+:[^:]+)$/.exec(salt) ?? [];
    if (version === undefined) {
      throw new OperatorError({
        key: `Pulumi.${stack}.yaml: encryptionsalt`,
        found: "a salt of another form",
        allowed: "the line as the engine wrote it",
        fix: "put it back from the file's history: without it the secrets are lost",
      });
    }
    this.#key = keyOf(passphrase, text);
    if (this.decrypt(check[0] ?? "") === KNOWN_TEXT) return;
    throw new OperatorError({
      key: "PULUMI_CONFIG_PASSPHRASE",
      found: `not the passphrase of stack ${stack}`,
      allowed: `the one with which Pulumi.${stack}.yaml was encrypted`,
      fix: "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to that one",
    });
  }

  /** The text behind `v1:nonce:ciphertext`; undefined when it is not of this key, or damaged. */
  decrypt(text: string): string | undefined {
    const [version, nonce = "", sealed = ""] = text.split(":");
    const bytes = Buffer.from(sealed, "base64");
    if (version !== "v1" || bytes.length < TAG_BYTES) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(0, -TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
    } catch {
      // The one reason is that the tag does not match.
      return undefined;
    }
  }
}

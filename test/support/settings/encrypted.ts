import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";

/** Encrypts as the engine does with a passphrase (pulumi/pulumi sdk/go/common/resource/config/crypt.go). */
export class Encrypter {
  readonly #key: Buffer;
  readonly salt: string;

  constructor(passphrase: string) {
    const salt = randomBytes(8);
    this.#key = pbkdf2Sync(passphrase, salt, 1_000_000, 32, "sha256");
    this.salt = `v1:${salt.toString("base64")}:${this.encrypt("pulumi")}`;
  }

  encrypt(text: string): string {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
  }
}

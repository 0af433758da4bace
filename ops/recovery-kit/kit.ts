import { createHash } from "node:crypto";
import { BACKUP_PASSWORD } from "../../components/backup/credentials.ts";

/** What a recovery kit is made from. */
export interface KitParts {
  readonly stack: string;
  /** When it is made; ISO 8601. */
  readonly made: string;
  /** Text of the stack file. */
  readonly stackFile: string;
  /** The passphrase of the stack's secrets; undefined where another provider encrypts them. */
  readonly passphrase?: string;
  /** Generated secrets by name, and whether data depends on them. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly permanent: readonly string[];
  /** The repository of the backups; undefined where there is none. */
  readonly repository?: string;
  /** The engine's exported state, in which secrets are encrypted. */
  readonly state: unknown;
}

/** What is in a kit, once it is opened. */
export function kitText({ secrets, permanent, repository, ...parts }: KitParts): string {
  const password = secrets[BACKUP_PASSWORD];
  return `${JSON.stringify(
    {
      about: ABOUT,
      stack: parts.stack,
      made: parts.made,
      ...(repository !== undefined && password !== undefined && { backups: { repository, password } }),
      permanentSecrets: Object.fromEntries(permanent.map((name) => [name, secrets[name]])),
      ...(parts.passphrase !== undefined && { passphrase: parts.passphrase }),
      stackFile: parts.stackFile,
      state: parts.state,
    },
    undefined,
    2,
  )}\n`;
}

const ABOUT =
  "Recovery kit of a vpai stack. backups: what stock restic needs besides the bucket's keys. permanentSecrets: the keys that data is " +
  "encrypted with. stackFile and passphrase: Pulumi.<stack>.yaml and what opens its secrets. state: for `pulumi stack import`. " +
  "docs/operations.md#recovery-kit says what to do with it.";

/** Changes when a kit no longer has what a restore needs. Shows nothing of a secret: they are too long to be guessed. */
export const kitFingerprint = ({ secrets, permanent, passphrase }: Omit<KitParts, "made" | "state">): string =>
  createHash("sha256")
    .update(JSON.stringify(["vpai recovery kit", passphrase ?? null, permanent.map((name) => [name, secrets[name]])]))
    .digest("hex");

/** 30 letters and digits that are not mistaken for others, in groups of five: 150 bits. @param bytes 30 random ones */
export const passphraseOf = (bytes: Uint8Array): string =>
  Array.from({ length: 6 }, (_, group) =>
    Array.from(bytes.slice(group * 5, group * 5 + 5), (byte) => "abcdefghjkmnpqrstuvwxyz023456789"[byte % 32]).join(""),
  ).join("-");

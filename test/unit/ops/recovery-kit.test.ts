import { expect, test } from "@jest/globals";
import { kitFingerprint, kitText, passphraseOf } from "../../../ops/recovery-kit/kit.ts";

const PARTS = {
  stack: "prod",
  made: "2026-11-28T00:00:00.000Z",
  stackFile: "config:\n",
  passphrase: "of the stack",
  secrets: { "backup-password": "p", "n8n-encryption-key": "k", "redis-password": "r" },
  permanent: ["backup-password", "n8n-encryption-key"],
  repository: "s3:https://s3.example.org/bucket/prod",
  state: { version: 3 },
};

test("a kit holds what a restore from nothing needs, and no secret that is made again", () => {
  expect(JSON.parse(kitText(PARTS))).toEqual({
    about: expect.stringContaining("docs/operations.md#recovery-kit"),
    stack: "prod",
    made: PARTS.made,
    backups: { repository: PARTS.repository, password: "p" },
    permanentSecrets: { "backup-password": "p", "n8n-encryption-key": "k" },
    passphrase: "of the stack",
    stackFile: "config:\n",
    state: { version: 3 },
  });
  const { repository: _none, passphrase: _neither, ...bare } = PARTS;
  expect(Object.keys(JSON.parse(kitText(bare)) as object)).toEqual([
    "about",
    "stack",
    "made",
    "permanentSecrets",
    "stackFile",
    "state",
  ]);
});

test("another permanent secret or passphrase asks for another kit; another password of a service does not", () => {
  const now = kitFingerprint(PARTS);
  expect(kitFingerprint({ ...PARTS, secrets: { ...PARTS.secrets, "redis-password": "x" } })).toBe(now);
  expect(kitFingerprint({ ...PARTS, secrets: { ...PARTS.secrets, "n8n-encryption-key": "x" } })).not.toBe(now);
  expect(kitFingerprint({ ...PARTS, passphrase: "x" })).not.toBe(now);
});

test("a passphrase has six groups of five that are read aloud without mistakes", () => {
  expect(passphraseOf(new Uint8Array(30))).toBe("aaaaa-aaaaa-aaaaa-aaaaa-aaaaa-aaaaa");
  expect(passphraseOf(Uint8Array.from({ length: 30 }, (_, i) => 255 - i))).toMatch(/^([a-z02-9]{5}-){5}[a-z02-9]{5}$/);
});

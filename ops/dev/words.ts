/** A word or phrase that the project does not use, and what to write instead. */
export interface Replaced {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** Rejected in every file. */
export const PHRASES: readonly Replaced[] = [
  { pattern: /\bbe had\b/i, instead: "be available, be found" },
  { pattern: /\bas (it|they) should be\b/i, instead: "unchanged" },
  { pattern: /\bnothing had to change\b/i, instead: "up to date" },
  { pattern: /\bnothing is wrong\b/i, instead: "no problems found" },
  { pattern: /\bno terminal to ask\b/i, instead: "stdin is not a terminal" },
  { pattern: /\blook after\b/i, instead: "manage" },
  { pattern: /\bsimulated world\b/i, instead: "sandbox" },
  { pattern: /\bnone of ours\b/i, instead: "not started by this process" },
  { pattern: /\bfor want of\b/i, instead: "out of, missing" },
  { pattern: /\bto who has\b/i, instead: "to a client with" },
  { pattern: /\bended with complaints\b/i, instead: "finished with errors" },
  { pattern: /\bdoes not read back so\b/i, instead: "verification failed" },
  { pattern: /\bis no name of\b/i, instead: "is not a valid name of" },
  { pattern: /\bOf the raw value\b/, instead: "Checks the raw value" },
];

/** Rejected in the files below CLEAN, from which they have been removed. */
export const WORDS: readonly Replaced[] = [
  { pattern: /\banew\b/i, instead: "again, recreated, rebuilt" },
  { pattern: /\bbegun\b/i, instead: "started" },
  { pattern: /\b(some|no|every)body\b/i, instead: "name the actor: user, operator, client, process" },
  { pattern: /\b(who|which|what|when|where)(so)?ever\b/i, instead: "any" },
  { pattern: /\bgone\b/i, instead: "removed, not found, no longer exists" },
  { pattern: /\b(told|tells?)\b/i, instead: "notified, configured, reports, shows" },
  { pattern: /\bsaid\b/i, instead: "reported, printed, set" },
  { pattern: /\bbeside\b/i, instead: "next to, with" },
  { pattern: /\blacking\b/i, instead: "missing" },
  { pattern: /\bembellish/i, instead: "add detail to" },
];

/** Folders and files where WORDS holds. Add a folder once it is clean. */
export const CLEAN: readonly string[] = [
  "bench/",
  "bin/",
  "components/",
  "docs/",
  "index.ts",
  "ops/",
  "shared/",
  "stacks/",
  "toolchain/",
  "CONTRIBUTING.md",
  "Pulumi",
  "README.md",
  "eslint.config.js",
];

/** Foreign or generated text, and the files that must name the words. */
export const EXEMPT: readonly string[] = [
  "LICENSE",
  "package-lock.json",
  "toolchain/go/go.mod",
  "toolchain/go/go.sum",
  "ops/dev/words.ts",
  "test/unit/ops/words.test.ts",
  "test/unit/ops/recorded/",
  "test/support/monitoring/recorded/",
];

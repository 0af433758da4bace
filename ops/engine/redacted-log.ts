import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeFileSync } from "node:fs";
import { redact } from "../../shared/exec.ts";

/** The engine's most verbose output. On its own it would print secrets: see {@link secretsOfState}. */
export const MOST_VERBOSE = ["-v=9", "--logtostderr", "--logflow"];

/** Whether an operator's own flags make the engine print values. */
export function isVerbose(flags: readonly string[]): boolean {
  return flags.some((flag) => /^(-v|--verbose|-d$|--debug)/.test(flag));
}

/** How an exported state marks a secret (Pulumi SDK, the signature of a secret). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
/** Shorter ones are words that any line holds: redacting them would reveal them. */
const SHORTEST = 8;

/**
 * Every text that the state (exported with its secrets in plain) calls secret: whole, its lines, and the texts in it
 * where it is JSON. The engine's debug output holds values in all these forms.
 */
export function secretsOfState(exported: string): string[] {
  const found = new Set<string>();
  const take = (text: string): void => {
    for (const line of [text, ...text.split("\n")].map((each) => each.trim())) {
      if (line.length >= SHORTEST) found.add(line);
    }
    if (/^\s*[{["]/.test(text)) {
      try {
        walk(JSON.parse(text), true);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
  };
  const walk = (node: unknown, secret: boolean): void => {
    if (typeof node === "string") return secret ? take(node) : undefined;
    if (node === null || typeof node !== "object") return;
    if (!Array.isArray(node) && SIGNATURE in node && "plaintext" in node)
      return walk(JSON.parse(String(node.plaintext)), true);
    for (const each of Object.values(node)) walk(each, secret);
  };
  walk(JSON.parse(exported), false);
  return [...found];
}

/** Opens an unlinked file: only this process and its children can read what is written to it. */
export function openAnonymousLog(path: string): number {
  const descriptor = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return descriptor;
}

/** Writes the anonymous file's text to `path` without the secrets, and closes it. Returns the text. */
export function writeRedactedLog(descriptor: number, path: string, secrets: readonly string[]): string {
  const raw = Buffer.alloc(fstatSync(descriptor).size);
  readSync(descriptor, raw, 0, raw.length, 0);
  closeSync(descriptor);
  const text = redact(raw.toString("utf8"), secrets);
  writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  return text;
}

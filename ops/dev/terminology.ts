import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { projectFiles } from "./files.ts";
import { CLEAN, EXEMPT, PHRASES, WORDS } from "./words.ts";

const isUnder = (file: string, prefixes: readonly string[]): boolean =>
  prefixes.some((prefix) => file.startsWith(prefix));

/** One line for each replaced word or phrase in a file's text: code, comments, messages and prose alike. */
export function replacedWords(file: string, text: string): string[] {
  if (isUnder(file, EXEMPT)) return [];
  const rules = isUnder(file, CLEAN) ? [...PHRASES, ...WORDS] : PHRASES;
  return text.split("\n").flatMap((line, index) =>
    rules.flatMap(({ pattern, instead }) => {
      const found = pattern.exec(line)?.[0];
      return found === undefined ? [] : [`${file}:${index + 1}: "${found}": write ${instead} (ops/dev/words.ts)`];
    }),
  );
}

/** The replaced words and phrases in all files of the project. */
export async function findReplacedWords(): Promise<string[]> {
  const files = await projectFiles();
  return files.flatMap((file) => replacedWords(file, readFileSync(join(PROJECT_ROOT, file), "utf8")));
}

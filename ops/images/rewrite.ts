import { readFile, rename, writeFile } from "node:fs/promises";
import { OperatorError } from "../../shared/errors.ts";

/** One pin in the place of another. */
export interface Replacement {
  readonly service: string;
  readonly from: string;
  readonly to: string;
}

/** The text of the file of images with other pins; everything else stays as it is, to the letter. */
export function replacePins(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((changed, { service, from, to }) => {
    const parts = changed.split(`"${from}"`);
    if (parts.length === 2) return parts.join(`"${to}"`);
    throw new OperatorError({
      key: `image of ${service}`,
      found: `${from} stands ${parts.length === 1 ? "nowhere" : `${parts.length - 1} times`} in the file of images`,
      allowed: "once",
      fix: "change it by hand",
    });
  }, text);
}

/** Changes the file as a whole or not at all, and reads it back. */
export async function rewritePins(file: string, replacements: readonly Replacement[]): Promise<void> {
  const wanted = replacePins(await readFile(file, "utf8"), replacements);
  await writeFile(`${file}.new`, wanted);
  await rename(`${file}.new`, file);
  if ((await readFile(file, "utf8")) !== wanted) throw new Error(`${file} does not read back as written`);
}

import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Finding, WantedImage } from "./check.ts";

/** Platforms by pin, of the images that were checked and that a successful `up` has had. */
export type Checked = Readonly<Record<string, readonly string[]>>;

const file = (work: string): string => join(work, "images-checked.json");

/** What is remembered; nothing, if the file is missing or broken: then all is checked anew. */
export async function readChecked(work: string): Promise<Checked> {
  try {
    return JSON.parse(await readFile(file(work), "utf8")) as Checked;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return {};
    throw error;
  }
}

export async function writeChecked(work: string, checked: Checked): Promise<void> {
  await writeFile(`${file(work)}.new`, `${JSON.stringify(checked, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file(work)}.new`, file(work));
}

/** After `destroy`: the next server has no image yet. */
export const forgetChecked = (work: string): Promise<void> => rm(file(work), { force: true });

/** Images that no successful `up` has had. */
export const unchecked = (images: readonly WantedImage[], checked: Checked): WantedImage[] =>
  images.filter(({ pin }) => !(pin.text in checked));

/**
 * What is remembered after an `up`.
 *
 * @param images those of the run
 * @param partly whether the run left others alone: they stay remembered
 */
export function rememberedAfter(
  checked: Checked,
  images: readonly WantedImage[],
  findings: readonly Finding[],
  partly: boolean,
): Checked {
  const found = Object.fromEntries(
    findings.flatMap(({ pin, verdict }) => (verdict.kind === "there" ? [[pin.text, verdict.platforms]] : [])),
  );
  const all = { ...checked, ...found };
  const kept = Object.entries(all).filter(([text]) => partly || images.some(({ pin }) => pin.text === text));
  return Object.fromEntries(kept.toSorted(([a], [b]) => a.localeCompare(b)));
}

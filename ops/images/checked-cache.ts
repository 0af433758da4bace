import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Finding, WantedImage } from "./check.ts";

/** Platforms by pin. */
export type Platforms = Readonly<Record<string, readonly string[]>>;

/** The images that were checked and that a successful `up` has brought to a server. */
export interface Checked {
  readonly platforms: Platforms;
  /** What the server was: another one has to pull all of them. */
  readonly machine: string;
}

const NOTHING: Checked = { platforms: {}, machine: "" };

const file = (work: string): string => join(work, "images-checked.json");

/** The cached result; empty if the file is missing or broken: then every image is checked again. */
export async function readChecked(work: string): Promise<Checked> {
  try {
    return { ...NOTHING, ...(JSON.parse(await readFile(file(work), "utf8")) as Partial<Checked>) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return NOTHING;
    throw error;
  }
}

export async function writeChecked(work: string, checked: Checked): Promise<void> {
  await writeFile(`${file(work)}.new`, `${JSON.stringify(checked, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file(work)}.new`, file(work));
}

/** After `destroy`: the next server has no image yet. */
export const forgetChecked = (work: string): Promise<void> => rm(file(work), { force: true });

/** Images that no successful `up` has brought to the server. */
export const unchecked = (
  images: readonly WantedImage[],
  { platforms, machine }: Checked,
  now: string,
): WantedImage[] => images.filter(({ pin }) => machine !== now || !(pin.text in platforms));

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
  { machine, partly }: { readonly machine: string; readonly partly: boolean },
): Checked {
  const found = Object.fromEntries(
    findings.flatMap(({ pin, verdict }) => (verdict.kind === "there" ? [[pin.text, verdict.platforms]] : [])),
  );
  const before = checked.machine === machine ? checked.platforms : {};
  const kept = Object.entries({ ...before, ...found }).filter(
    ([text]) => partly || images.some(({ pin }) => pin.text === text),
  );
  return { machine, platforms: Object.fromEntries(kept.toSorted(([a], [b]) => a.localeCompare(b))) };
}

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A rendered file: what the renderer's test expects, and what the fake of its reader is given. */
export const recorded = (name: string): string => readFileSync(join(import.meta.dirname, "recorded", name), "utf8");

import { realpathSync } from "node:fs";
import { join } from "node:path";

/** The clone that this code is part of, without symbolic links: the sandbox derives its names from this path. */
export const PROJECT_ROOT = realpathSync(join(import.meta.dirname, ".."));

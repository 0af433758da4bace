import { join } from "node:path";
import { goLayer } from "../images/busybox.ts";
import type { Layer, Report } from "../images/layers.ts";

/** What of the doubles' Go module goes into the double of this name. */
export interface Double {
  /** The double's own package, beside which its recipe lies. */
  readonly folder: string;
  /** The module's packages that it imports, and the module's pins. */
  readonly more: readonly string[];
  /** A layer with its program at `path` in the image. Made anew when one of these parts changes, and for no other. */
  program(path: string, report: Report): Promise<Layer>;
}

/** The double in package `name` of the module, which imports these `libraries` of it. */
export function goDouble(name: string, libraries: readonly string[] = ["serve"]): Double {
  const module = import.meta.dirname;
  const more = [...libraries, "go.mod", "go.sum"];
  return {
    folder: join(module, name),
    more: more.map((part) => join(module, part)),
    program: (path, report) => goLayer({ name, module, parts: [name, ...more], importPath: `./${name}`, path }, report),
  };
}

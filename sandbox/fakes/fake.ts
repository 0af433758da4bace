import { join } from "node:path";
import { goLayer } from "../images/busybox.ts";
import type { Layer, Report } from "../images/layers.ts";

/** What of the fakes' Go module goes into the fake of this name. */
export interface Fake {
  /** The fake's own package, beside which its recipe lies. */
  readonly folder: string;
  /** The module's packages that it imports, and the module's pins. */
  readonly more: readonly string[];
  /** A layer with its program at `path` in the image. Made anew when one of these parts changes, and for no other. */
  program(path: string, report: Report): Promise<Layer>;
}

/** The fake in package `name` of the module, which imports these `libraries` of it. */
export function goFake(name: string, libraries: readonly string[] = ["serve"]): Fake {
  const module = import.meta.dirname;
  const more = [...libraries, "go.mod", "go.sum"];
  return {
    folder: join(module, name),
    more: more.map((part) => join(module, part)),
    program: (path, report) => goLayer({ name, module, parts: [name, ...more], importPath: `./${name}`, path }, report),
  };
}

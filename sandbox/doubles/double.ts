import { join } from "node:path";
import { goLayer } from "../images/busybox.ts";
import type { Layer, Report } from "../images/layers.ts";

/** The folder of the Go module that holds all doubles; a recipe of one names it among its folders. */
export const DOUBLES = import.meta.dirname;

/** A layer with the double's program: package `name` of the module, at `path` in the image. */
export function doubleLayer(name: string, path: string, report: Report): Promise<Layer> {
  return goLayer({ name, module: DOUBLES, importPath: `./${name}`, path }, report);
}

/** What its recipe's `folder` is. */
export const doubleFolder = (name: string): string => join(DOUBLES, name);

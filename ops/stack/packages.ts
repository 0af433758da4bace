import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ensureDebianPackages } from "../../toolchain/debian.ts";

/** A program by name, or a file by its path, and the Debian package that brings it. */
export type Tool = readonly [what: string, debianPackage: string];

/** The packages of the tools that this machine does not have; starts no process. */
export function missingPackages(tools: readonly Tool[], path = process.env["PATH"] ?? ""): string[] {
  const directories = path.split(delimiter).filter(Boolean);
  const isThere = (what: string): boolean =>
    what.includes("/") ? existsSync(what) : directories.some((directory) => existsSync(join(directory, what)));
  return tools.flatMap(([what, debianPackage]) => (isThere(what) ? [] : [debianPackage]));
}

/**
 * Installs missing packages, as root on Debian.
 *
 * @param why – what it is needed for, for the error
 * @throws OperatorError – elsewhere, with what to install
 */
export async function ensureTools(tools: readonly Tool[], why: string, report: (line: string) => void): Promise<void> {
  const packages = missingPackages(tools);
  if (packages.length > 0) await ensureDebianPackages(packages, why, report);
}

import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { projectFiles } from "./files.ts";

/** Files of the project that a file imports, by path; type imports included, which eslint's no-cycle leaves out. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** The import cycles, one for each file that closes one: `a → b → a` as `["a", "b", "a"]`. */
export function importCycles(imports: Imports): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) cycles.push([...path.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return cycles;
}

/** The relative imports of one file's text. `import("…")` is not one: it does not run when the file loads. */
export async function importsOf(file: string, text: string): Promise<string[]> {
  const { default: ts } = await import("typescript");
  return ts
    .createSourceFile(file, text, ts.ScriptTarget.Latest)
    .statements.flatMap((statement) =>
      (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) &&
      statement.moduleSpecifier &&
      ts.isStringLiteral(statement.moduleSpecifier) &&
      statement.moduleSpecifier.text.startsWith(".")
        ? [posix.join(posix.dirname(file), statement.moduleSpecifier.text)]
        : [],
    );
}

/** One line for each import cycle among the project's files. */
export async function findImportCycles(): Promise<string[]> {
  const imports = new Map<string, readonly string[]>();
  for (const file of (await projectFiles(".ts")).toSorted()) {
    imports.set(file, await importsOf(file, readFileSync(join(PROJECT_ROOT, file), "utf8")));
  }
  return importCycles(imports).map((cycle) => `import cycle: ${cycle.join(" → ")}`);
}

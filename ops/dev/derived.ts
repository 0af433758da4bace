import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../shared/exec.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { offers } from "../../sandbox/hetzner/state/offers.ts";
import { pulumiYaml, settingsPage } from "../../stacks/settings/reference.ts";
import { PROGRAM_TABLE, programTable } from "../sandbox/offers.ts";

/** Files that are derived from code, by path. */
const DERIVED: Readonly<Record<string, (current: string) => string>> = {
  "Pulumi.yaml": (current) => pulumiYaml(current),
  "docs/settings.md": () => settingsPage(),
  [PROGRAM_TABLE]: () => programTable(offers),
};

/** Formatted as the repository is; `path` decides the language. */
export async function formatted(path: string, text: string): Promise<string> {
  const prettier = join(PROJECT_ROOT, "node_modules/prettier/bin/prettier.cjs");
  const args = [prettier, "--stdin-filepath", join(PROJECT_ROOT, path)];
  return `${(await run(process.execPath, args, { input: text })).stdout}\n`;
}

/** The derived files that differ from what they are derived from; with `write`, brings them up to date. */
export async function staleFiles(write: boolean, root = PROJECT_ROOT): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, derive] of Object.entries(DERIVED)) {
    const file = join(root, path);
    const current = existsSync(file) ? readFileSync(file, "utf8") : "";
    const text = await formatted(path, derive(current));
    if (text === current) continue;
    if (write) writeFileSync(file, text);
    else stale.push(path);
  }
  return stale;
}

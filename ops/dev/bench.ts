import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** Benchmarks: each file of bench/ is one, run as a program of its own. */
export function benchmarks(folder = join(PROJECT_ROOT, "bench")): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((file) => /^([a-z0-9-]+)\.ts$/.exec(file)?.[1] ?? [])
    .toSorted();
}

/** `vpai bench`. */
export async function runBench(name: string | undefined): Promise<void> {
  const known = benchmarks();
  if (known.length === 0 || (name !== undefined && !known.includes(name))) {
    throw new OperatorError({
      key: "benchmark",
      found: name ?? "none in bench/",
      allowed: known.join(", ") || "none",
      fix: "choose one",
    });
  }
  for (const each of name === undefined ? known : [name]) {
    const args = ["--disable-warning=ExperimentalWarning", join(PROJECT_ROOT, "bench", `${each}.ts`)];
    const { exitCode } = await execa(process.execPath, args, { cwd: PROJECT_ROOT, reject: false, stdio: "inherit" });
    if (exitCode !== 0) process.exitCode = 1;
  }
}

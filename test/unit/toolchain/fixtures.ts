import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "@jest/globals";

/** A directory of the test's own, with the cache in it; PATH holds only what the test puts there and the system's tools. */
export function useScratch(): { readonly dir: string; program: (name: string, script: string) => string } {
  const before = { ...process.env };
  const scratch = {
    dir: "",
    program: (name: string, script: string) => program(join(scratch.dir, "bin", name), script),
  };
  beforeEach(() => {
    scratch.dir = mkdtempSync(join(tmpdir(), "vpai-test-"));
    process.env.VPAI_CACHE = join(scratch.dir, "cache");
    process.env.PATH = `${join(scratch.dir, "bin")}:/usr/bin:/bin`;
  });
  afterEach(() => {
    process.env = { ...before };
    rmSync(scratch.dir, { recursive: true, force: true });
  });
  return scratch;
}

/** An executable shell script. */
export function program(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The message of what a promise is refused with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "was not refused";
}

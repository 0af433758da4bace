import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import type { StackContext } from "../stack/context.ts";

/** Folders and files that decide what the program yields and how the server is inspected, apart from settings and state. */
const PROGRAM = [
  "index.ts",
  "Pulumi.yaml",
  "package.json",
  "package-lock.json",
  "components",
  "files",
  "shared",
  "stacks",
  "toolchain",
  "ops/drift",
  "ops/fast-path",
];

/** Settings that come from the environment. */
const SETTINGS = /^(VPAI_|HCLOUD_|ANTHROPIC_|OPENAI_|OVH_|BACKUP_|TS_AUTHKEY$|PULUMI_BACKEND_URL)/;

/** Whether a variable of the environment counts. */
export const isSetting = (name: string): boolean => SETTINGS.test(name);

function* filesBelow(path: string): Generator<string> {
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) yield* filesBelow(below);
    else if (entry.isFile()) yield below;
  }
}

/** One word for program and settings. Undefined where one of their files is missing. */
export function programFingerprint(context: StackContext, root = PROJECT_ROOT): string | undefined {
  const hash = createHash("sha256");
  const add = (name: string, file: string): void => {
    hash.update(`${name}\n`);
    hash.update(createHash("sha256").update(readFileSync(file)).digest());
  };
  try {
    for (const name of PROGRAM) {
      if (/\.\w+$/.test(name)) add(name, join(root, name));
      else for (const file of filesBelow(join(root, name))) add(file, file);
    }
    add("settings", join(root, `Pulumi.${context.stack}.yaml`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const images = join(context.workDir, "images.json");
  hash.update(readdirSync(context.workDir).includes("images.json") ? readFileSync(images) : "");
  const env = Object.entries(context.env).filter(([key]) => isSetting(key));
  hash.update(JSON.stringify(env.sort(([a], [b]) => (a < b ? -1 : 1))));
  return hash.digest("hex");
}

/**
 * One word for program, settings and state. Where it is what it was after the last successful `up`, the same run again
 * deletes nothing, and need not be previewed. Undefined where the state is not in files of this machine.
 */
export function planFingerprint(context: StackContext, root = PROJECT_ROOT): string | undefined {
  return withState(context, programFingerprint(context, root));
}

/** {@link planFingerprint} after a run that began with `program`; undefined where it has been edited since: that was not applied. */
export function appliedFingerprint(context: StackContext, program: string | undefined): string | undefined {
  const now = programFingerprint(context);
  return now === program ? withState(context, now) : undefined;
}

function withState({ files }: StackContext, program: string | undefined): string | undefined {
  if (program === undefined || !files || !existsSync(files.checkpoint)) return undefined;
  return createHash("sha256").update(program).update(readFileSync(files.checkpoint)).digest("hex");
}

const file = (work: string): string => join(work, "converged-plan");

/** The fingerprint after the last successful `up`; undefined if there was none. */
export async function rememberedFingerprint(work: string): Promise<string | undefined> {
  return readFile(file(work), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/**
 * Notes the present state as that of a successful `up` of everything.
 *
 * @param program {@link programFingerprint} before the run: what has been edited since was not applied
 */
export async function rememberFingerprint(context: StackContext, program: string | undefined): Promise<void> {
  const now = appliedFingerprint(context, program);
  if (now === undefined) return rm(file(context.workDir), { force: true });
  await writeFile(`${file(context.workDir)}.new`, now, { mode: 0o600 });
  await rename(`${file(context.workDir)}.new`, file(context.workDir));
}

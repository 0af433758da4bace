import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run } from "../shared/exec.ts";
import { cacheEntry, contentKey } from "./cache.ts";
import { fingerprint, pluginPath } from "./locate.ts";
import { withLock } from "./lock.ts";
import { type AllObtained, binariesOf } from "./obtain.ts";
import { PLUGINS } from "./versions.ts";
import { PROJECT_ROOT } from "../shared/paths.ts";

export interface Home {
  /** Directories to put first on PATH. */
  readonly path: readonly string[];
  /** PULUMI_HOME. */
  readonly home: string;
}

const LAUNCHER = "pulumi-resource-pulumi-nodejs";
/** Our own launcher of dynamic providers; an official engine brings another. */
export const LAUNCHER_FILE = join(PROJECT_ROOT, "toolchain", LAUNCHER);

/**
 * Lays the parts out as the engine looks for them: the engine, its language host and the launcher of dynamic providers on
 * PATH, the plugins in a Pulumi home. Plugins on PATH would serve too, with a warning in every run.
 *
 * @param given – the operator's own Pulumi home, which then gets the plugins that it lacks
 */
export async function layOut(parts: AllObtained, given: string | undefined): Promise<Home> {
  const files = [...binariesOf("engine", parts.engine), ...PLUGINS.flatMap((name) => binariesOf(name, parts[name]))];
  const versions = JSON.stringify(PLUGINS.map((name) => parts[name].version));
  const key = contentKey(fingerprint(files), parts.engine.from, versions, await readFile(LAUNCHER_FILE));
  const entry = await cacheEntry("home", key, async (directory) => {
    const bin = join(directory, "bin");
    await mkdir(bin, { recursive: true });
    if (parts.engine.from !== "path") {
      for (const file of binariesOf("engine", parts.engine)) await place(file, join(bin, basename(file)));
    }
    const official = join(parts.engine.directory, LAUNCHER);
    await copyFile(existsSync(official) ? official : LAUNCHER_FILE, join(bin, LAUNCHER));
    await writeFile(join(bin, "package.json"), '{ "type": "commonjs" }\n'); // for our launcher, independent of parent folders
    if (given === undefined) await installPlugins(parts, join(directory, "pulumi"));
  });
  const home = given ?? join(entry.path, "pulumi");
  if (given !== undefined) await withLock(given, () => installPlugins(parts, given));
  const operators = parts.engine.from === "path" ? [parts.engine.directory] : [];
  return { path: [join(entry.path, "bin"), ...operators], home };
}

async function installPlugins(parts: AllObtained, home: string): Promise<void> {
  for (const name of PLUGINS) {
    const path = pluginPath(home, name, parts[name].version);
    if (existsSync(path)) continue;
    const directory = dirname(path);
    const making = `${directory}.making-${randomBytes(4).toString("hex")}`;
    await mkdir(making, { recursive: true });
    for (const file of binariesOf(name, parts[name])) await place(file, join(making, basename(file)));
    await rm(directory, { recursive: true, force: true });
    await rename(making, directory);
  }
}

/** The same file under another name where the file system allows: they are large. */
async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!["EXDEV", "EPERM", "EMLINK"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await copyFile(from, to);
  }
}

/** Asks the engine itself what it is and what it sees. @throws Error – if that is not what was laid out */
export async function readBack(parts: AllObtained, env: Record<string, string>): Promise<void> {
  const { stdout: printed } = await run("pulumi", ["version"], { env, timeoutMs: 30_000 });
  const version = printed.trim().replace(/^v/, "");
  if (version !== parts.engine.version) {
    throw new Error(`the engine on PATH says it is ${version}; ${parts.engine.version} was laid out`);
  }
  const { stdout: listed } = await run("pulumi", ["plugin", "ls", "--json"], { env, timeoutMs: 30_000 });
  const seen = (JSON.parse(listed) as { name: string; version: string }[]).map(
    (plugin) => `${plugin.name} ${plugin.version}`,
  );
  const unseen = PLUGINS.map((name) => `${name} ${parts[name].version}`).filter((plugin) => !seen.includes(plugin));
  if (unseen.length > 0)
    throw new Error(`the engine does not see the plugins ${unseen.join(", ")}; it sees ${seen.join(", ")}`);
}

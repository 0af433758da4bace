import { existsSync, realpathSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { GO_MODULE } from "./build.ts";
import { cacheDir, contentKey } from "./cache.ts";
import type { Source } from "./download.ts";
import { moduleKey } from "./go.ts";
import { type Home, LAUNCHER_FILE, layOut, readBack } from "./home.ts";
import { type Located, fingerprint, locate, pluginPath } from "./locate.ts";
import { type AllObtained, type Obtained, obtain } from "./obtain.ts";
import { PLUGINS, versions } from "./versions.ts";

export interface Part {
  /** Such as "pulumi" or "plugin docker". */
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** path: the operator's own, on PATH or in a Pulumi home; cache: from an earlier run; else made by this one. */
  readonly origin: "path" | "cache" | "download" | "built";
  /** How a cached part came into the cache. */
  readonly source?: "download" | "built";
}

export interface Toolchain {
  readonly parts: readonly Part[];
  /** To add to the environment of every program of Pulumi's; holds the whole PATH. */
  readonly env: Readonly<Record<string, string>>;
}

export interface ToolchainOptions {
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  readonly source?: Source;
}

/** What an earlier run has laid out, and the look of its files then. */
interface Stamp extends Home {
  readonly parts: readonly Part[];
  readonly look: string;
}

/**
 * The engine, its language host and the plugins, at the versions that package.json pins: found, or downloaded, or built.
 *
 * Asks files only, and starts no process, when nothing has changed since an earlier run.
 *
 * @throws OperatorError – a part has to be built, and Go is missing, too old, or fails
 */
export async function ensureToolchain(
  report: (line: string) => void,
  options: ToolchainOptions = {},
): Promise<Toolchain> {
  const env = options.env ?? process.env;
  const wanted = versions();
  const located = locate(wanted, env);
  const given = env.PULUMI_HOME || undefined;
  const file = join(cacheDir(), "stamps", `${await stampKey(located, given)}.json`);
  const stamp = await readStamp(file);
  if (stamp) return { parts: [...stamp.parts.map(fromStamp), nodePart()], env: environment(stamp, env) };

  const obtained = await obtain({ wanted, located, report, ...(options.source && { source: options.source }) });
  const home = await layOut(obtained, given);
  const made = environment(home, env);
  await readBack(obtained, made);
  const parts = describe(obtained, home);
  await writeStamp(file, { ...home, parts, look: fingerprint(parts.map((part) => part.path)) });
  return { parts: [...parts, nodePart()], env: made };
}

/** One line for a person: where a part came from. */
export function originText(part: Part): string {
  const texts = { download: "official download", built: "built here from Go modules, not the official binary" };
  if (part.origin === "path") return "already on this machine";
  if (part.origin === "cache") return part.source ? `${texts[part.source]}; in the cache` : "in the cache";
  return texts[part.origin];
}

async function stampKey(located: Located, given: string | undefined): Promise<string> {
  const own = [located.engine, ...Object.values(located.plugins)].filter((path) => path !== undefined);
  return contentKey(
    JSON.stringify(versions()),
    fingerprint([...own, LAUNCHER_FILE]),
    await moduleKey(GO_MODULE),
    given ?? "",
    cacheDir(),
  );
}

async function readStamp(file: string): Promise<Stamp | undefined> {
  if (!existsSync(file)) return undefined;
  const stamp = JSON.parse(await readFile(file, "utf8")) as Stamp;
  return fingerprint(stamp.parts.map((part) => part.path)) === stamp.look ? stamp : undefined;
}

async function writeStamp(file: string, stamp: Stamp): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const making = `${file}.${process.pid}`;
  await writeFile(making, JSON.stringify(stamp, undefined, 2));
  await rename(making, file);
}

function fromStamp(part: Part): Part {
  if (part.origin === "built" || part.origin === "download") return { ...part, origin: "cache", source: part.origin };
  return part;
}

function describe(obtained: AllObtained, home: Home): Part[] {
  const engineDirectory = obtained.engine.from === "path" ? obtained.engine.directory : (home.path[0] ?? "");
  const part = (name: string, from: Obtained, path: string): Part => ({
    name,
    version: from.version,
    path,
    origin: from.cached ? "cache" : from.from,
    ...(from.cached && from.from !== "path" && { source: from.from }),
  });
  return [
    part("pulumi", obtained.engine, join(engineDirectory, "pulumi")),
    part("pulumi-language-nodejs", obtained.engine, join(engineDirectory, "pulumi-language-nodejs")),
    ...PLUGINS.map((name) =>
      part(`plugin ${name}`, obtained[name], pluginPath(home.home, name, obtained[name].version)),
    ),
  ];
}

/** Node itself was seen to by bin/vpai.js. */
function nodePart(): Part {
  const origin = process.execPath.startsWith(cacheDir()) ? "cache" : "path";
  return {
    name: "node",
    version: process.versions.node,
    path: process.execPath,
    origin,
    ...(origin === "cache" && { source: "download" }),
  };
}

function environment(home: Home, env: NodeJS.ProcessEnv): Record<string, string> {
  const before = (env.PATH ?? "").split(delimiter);
  // Only if another Node comes first: its directory holds much else.
  const first = before.map((directory) => join(directory, "node")).find((path) => existsSync(path));
  const node =
    first !== undefined && realpathSync(first) === realpathSync(process.execPath) ? [] : [dirname(process.execPath)];
  const login = join(env.HOME || homedir(), ".pulumi");
  return {
    PATH: [...home.path, ...node, ...before].join(delimiter),
    PULUMI_HOME: home.home,
    // A login of the operator's holds, although the plugins lie elsewhere.
    ...(!env.PULUMI_HOME &&
      !env.PULUMI_CREDENTIALS_PATH &&
      existsSync(join(login, "credentials.json")) && { PULUMI_CREDENTIALS_PATH: login }),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Most runs take seconds: collecting garbage at Go's usual pace is 5 % of the processor time of a preview.
    GOGC: env.GOGC || "400",
    // Half a second of each run is Node compiling the SDK. It keys what it caches by its version and the files' text.
    NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE || join(cacheDir(), "node-compile"),
  };
}

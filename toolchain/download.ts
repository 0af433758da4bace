import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../shared/exec.ts";
import { cacheDir, cacheEntry, cachePath, contentKey } from "./cache.ts";
import type { PluginName } from "./versions.ts";

/** Pulumi's own place for releases. */
export const RELEASES = "https://get.pulumi.com/releases";
const PROBE_MS = 3000;
const REMEMBER_MS = 24 * 60 * 60 * 1000;

export interface Source {
  /** Where releases lie; another place in tests. @default RELEASES */
  readonly base?: string;
  readonly fetch?: typeof fetch;
}

interface Probe {
  readonly at: number;
  /** Why downloads are refused; undefined where they work. */
  readonly refused?: string;
}

/** @returns why the official downloads are not available, or undefined if they are; asks at most once a day */
export async function downloadsRefused(engine: string, source: Source = {}): Promise<string | undefined> {
  const url = engineUrl(engine, source);
  const memory = join(cacheDir(), "probes", `${contentKey(url)}.json`);
  const known = await readProbe(memory);
  if (known && Date.now() - known.at < REMEMBER_MS) return known.refused;
  const refused = await ask(url, source);
  await mkdir(join(cacheDir(), "probes"), { recursive: true });
  await writeFile(
    memory,
    JSON.stringify({ at: Date.now(), ...(refused !== undefined && { refused }) } satisfies Probe),
  );
  return refused;
}

async function readProbe(path: string): Promise<Probe | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Probe;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function ask(url: string, source: Source): Promise<string | undefined> {
  try {
    const response = await (source.fetch ?? fetch)(url, { method: "HEAD", signal: AbortSignal.timeout(PROBE_MS) });
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    const cause = (error as { cause?: NodeJS.ErrnoException }).cause;
    if ((error as Error).name === "TimeoutError") return `no answer in ${PROBE_MS / 1000} s`;
    return cause?.code ?? cause?.message ?? (error as Error).message;
  }
}

type Architecture = "x64" | "arm64";

function engineUrl(version: string, source: Source): string {
  return `${source.base ?? RELEASES}/sdk/pulumi-v${version}-${process.platform}-${process.arch as Architecture}.tar.gz`;
}

function pluginUrl(name: PluginName, version: string, source: Source): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  return `${source.base ?? RELEASES}/plugins/pulumi-resource-${name}-v${version}-${process.platform}-${architecture}.tar.gz`;
}

/** Where a part lies that was downloaded before. */
export function downloadedBefore(
  part: "engine" | PluginName,
  version: string,
  source: Source = {},
): string | undefined {
  const url = part === "engine" ? engineUrl(version, source) : pluginUrl(part, version, source);
  const path = cachePath("download", contentKey(url));
  return existsSync(path) ? path : undefined;
}

/** Fetches the engine, its language host and launchers. @returns their directory */
export async function downloadEngine(
  version: string,
  report: (line: string) => void,
  source: Source = {},
): Promise<string> {
  const url = engineUrl(version, source);
  const sums = `${source.base ?? RELEASES}/sdk/pulumi-${version}-checksums.txt`;
  const entry = await cacheEntry("download", contentKey(url), async (directory) => {
    const expected = publishedSum(await fetchText(sums, source), url);
    await unpack(url, expected, directory, source, ["--strip-components=1"]);
    report(`pulumi ${version}: downloaded, SHA-256 as published`);
  });
  return entry.path;
}

/** Fetches a plugin. @returns the directory that holds it */
export async function downloadPlugin(
  name: PluginName,
  version: string,
  report: (line: string) => void,
  source: Source = {},
): Promise<string> {
  const url = pluginUrl(name, version, source);
  const entry = await cacheEntry("download", contentKey(url), async (directory) => {
    await unpack(url, undefined, directory, source);
    report(`plugin ${name} ${version}: downloaded over TLS; no checksum is published there`);
  });
  return entry.path;
}

/** The SHA-256 that a list of "<sum>  <file>" lines gives for the last part of the URL. */
export function publishedSum(list: string, url: string): string {
  const file = url.split("/").at(-1);
  const line = list.split("\n").find((candidate) => candidate.trim().split(/\s+\*?/)[1] === file);
  const sum = line?.trim().split(/\s+/)[0];
  if (sum === undefined || !/^[0-9a-f]{64}$/.test(sum)) throw new Error(`no published checksum for ${file}`);
  return sum;
}

async function unpack(
  url: string,
  sum: string | undefined,
  directory: string,
  source: Source,
  flags: string[] = [],
): Promise<void> {
  const response = await get(url, source);
  const archive = new Uint8Array(await response.arrayBuffer());
  const found = createHash("sha256").update(archive).digest("hex");
  if (sum !== undefined && found !== sum) throw new Error(`${url} has SHA-256 ${found}, published is ${sum}: not used`);
  const file = join(directory, "archive.tar.gz");
  await writeFile(file, archive);
  await run("tar", ["-xzf", file, "-C", directory, "--no-same-owner", ...flags]);
  await rm(file);
}

async function fetchText(url: string, source: Source): Promise<string> {
  return (await get(url, source)).text();
}

async function get(url: string, source: Source): Promise<Response> {
  const response = await (source.fetch ?? fetch)(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return response;
}

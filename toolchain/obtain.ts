import { dirname, join } from "node:path";
import { run } from "../shared/exec.ts";
import { type PartName, partsBuild } from "./build.ts";
import { type Source, downloadEngine, downloadPlugin, downloadsRefused, downloadedBefore } from "./download.ts";
import { buildGo, builtBefore } from "./go.ts";
import type { Located } from "./locate.ts";
import { PLUGINS, type Versions, engineServes } from "./versions.ts";

/** Where a part lies and how it came there. */
export interface Obtained {
  /** The directory that holds its binaries. */
  readonly directory: string;
  readonly version: string;
  /** path: the operator's own. */
  readonly from: "path" | "download" | "built";
  /** Whether it was in the cache before. */
  readonly cached: boolean;
}

export type AllObtained = Readonly<Record<PartName, Obtained>>;

export interface Ways {
  readonly wanted: Versions;
  readonly located: Located;
  readonly report: (line: string) => void;
  readonly source?: Source;
}

/** Each part by the first way that has it: the operator's own, the cache, the official download, Go modules. */
export async function obtain(ways: Ways): Promise<AllObtained> {
  const found = new Map<PartName, Obtained>(await operatorsOwn(ways));
  const missing = (): PartName[] => (["engine", ...PLUGINS] as const).filter((part) => !found.has(part));
  for (const way of [fromCache, fromDownload, fromGo]) {
    if (missing().length === 0) break;
    for (const [part, obtained] of await way(missing(), ways)) found.set(part, obtained);
  }
  return Object.fromEntries(found) as Record<PartName, Obtained>;
}

type Pairs = [PartName, Obtained][];

async function operatorsOwn({ wanted, located }: Ways): Promise<Pairs> {
  const pairs: Pairs = [];
  if (located.engine !== undefined) {
    const { stdout } = await run(located.engine, ["version"], {
      env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeoutMs: 20_000,
    });
    const version = stdout.trim().replace(/^v/, "");
    if (engineServes(version, wanted.engine)) {
      pairs.push(["engine", { directory: dirname(located.engine), version, from: "path", cached: false }]);
    }
  }
  for (const name of PLUGINS) {
    const path = located.plugins[name];
    if (path === undefined) continue;
    pairs.push([name, { directory: dirname(path), version: wanted.plugins[name], from: "path", cached: false }]);
  }
  return pairs;
}

function versionOf(part: PartName, wanted: Versions): string {
  return part === "engine" ? wanted.engine : wanted.plugins[part];
}

async function fromCache(parts: readonly PartName[], { wanted, report, source }: Ways): Promise<Pairs> {
  const pairs: Pairs = [];
  const all = ["engine", ...PLUGINS] as const;
  const built =
    (await builtBefore(partsBuild(all, wanted, report))) ?? (await builtBefore(partsBuild(parts, wanted, report)));
  for (const part of parts) {
    const version = versionOf(part, wanted);
    const downloaded = downloadedBefore(part, version, source);
    if (downloaded !== undefined)
      pairs.push([part, { directory: downloaded, version, from: "download", cached: true }]);
    else if (built !== undefined) pairs.push([part, { directory: built, version, from: "built", cached: true }]);
  }
  return pairs;
}

async function fromDownload(parts: readonly PartName[], { wanted, report, source }: Ways): Promise<Pairs> {
  const refused = await downloadsRefused(wanted.engine, source);
  if (refused !== undefined) {
    report(
      `official downloads are refused (${refused}): building ${parts.join(", ")} from Go modules; cold, on 2 cores, 10 to 20 minutes`,
    );
    return [];
  }
  const pairs: Pairs = [];
  for (const part of parts) {
    const version = versionOf(part, wanted);
    try {
      const fetched =
        part === "engine" ? downloadEngine(version, report, source) : downloadPlugin(part, version, report, source);
      pairs.push([part, { directory: await fetched, version, from: "download", cached: false }]);
    } catch (error) {
      report(`${part} ${version}: not downloaded (${(error as Error).message}), building it from Go modules`);
    }
  }
  return pairs;
}

async function fromGo(parts: readonly PartName[], { wanted, report }: Ways): Promise<Pairs> {
  const directory = await buildGo(partsBuild(parts, wanted, report));
  return parts.map((part) => [part, { directory, version: versionOf(part, wanted), from: "built", cached: false }]);
}

/** The binaries of a part that belong on PATH, or into a plugin's directory. */
export function binariesOf(part: PartName, obtained: Obtained): string[] {
  const names = part === "engine" ? ["pulumi", "pulumi-language-nodejs"] : [`pulumi-resource-${part}`];
  return names.map((name) => join(obtained.directory, name));
}

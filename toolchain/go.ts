import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { OperatorError } from "../shared/errors.ts";
import { RunError, run } from "../shared/exec.ts";
import { cacheDir, cacheEntry, cachePath, contentKey, filesOf } from "./cache.ts";

/** Go's oldest release that builds these modules. */
export const GO_MINIMUM = "1.26";

export interface GoBuild {
  /** The module's directory. */
  readonly dir: string;
  /** Binary name → package: a path below the module such as `./cmd/x`, or an import path of a dependency. */
  readonly binaries: Readonly<Record<string, string>>;
  /** The files and folders of the module that they are made of. @default all */
  readonly parts?: readonly string[];
  /** The value of -ldflags. @default strip symbols */
  readonly ldflags?: string;
  readonly tags?: readonly string[];
  /** Added to the environment, such as CGO_ENABLED. */
  readonly env?: Readonly<Record<string, string>>;
  /** What is built, for the lines that `report` gets. */
  readonly label: string;
  readonly report: (line: string) => void;
}

/**
 * Builds binaries of a Go module, once for one content of the module's files, flags and platform.
 *
 * The Go release is recorded next to them (`go-version`) and is no part of the key: what is built serves on, also on a
 * machine without Go.
 *
 * @returns the directory that holds the binaries
 * @throws OperatorError – Go is missing or too old, or the build fails
 */
export async function buildGo(build: GoBuild): Promise<string> {
  const key = await goKey(build);
  const entry = await cacheEntry(
    "go",
    key,
    (directory) => compile(build, directory),
    (owner) => build.report(`${build.label}: waiting for ${owner}, which builds the same`),
  );
  return entry.path;
}

/** Where these binaries are if they have been built before. */
export async function builtBefore(build: GoBuild): Promise<string | undefined> {
  const path = cachePath("go", await goKey(build));
  return existsSync(path) ? path : undefined;
}

async function goKey(build: GoBuild): Promise<string> {
  const flags = JSON.stringify([build.binaries, build.ldflags, build.tags, build.env, process.platform, process.arch]);
  return contentKey(flags, await moduleKey(build.dir, build.parts));
}

/** The content of a module's files and folders, tests aside. */
export async function moduleKey(directory: string, parts: readonly string[] = ["."]): Promise<string> {
  const found = await Promise.all(parts.map((part) => filesOf(join(directory, part))));
  const files = found.flat().filter((file) => !file.endsWith("_test.go"));
  const contents = files.map(async (file) => [relative(directory, file), await readFile(file)] as const);
  return contentKey(...(await Promise.all(contents)).flat());
}

async function compile(build: GoBuild, directory: string): Promise<void> {
  const version = await requireGo(build.dir);
  const started = Date.now();
  const log = join(cacheDir(), "logs", `go-build-${contentKey(build.dir, build.label)}.log`);
  await mkdir(join(cacheDir(), "logs"), { recursive: true });
  await writeFile(log, "");
  let packages = 0;
  let writing = Promise.resolve();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  const timer = setInterval(
    () => build.report(`${build.label}: ${packages} packages compiled, ${seconds()} s`),
    30_000,
  );
  try {
    await run("go", buildArguments(build, directory), {
      cwd: build.dir,
      ...(build.env && { env: build.env }),
      onLine: (line) => {
        packages += 1;
        writing = writing.then(() => appendFile(log, `${line}\n`));
      },
    });
  } catch (error) {
    throw error instanceof RunError ? buildFailed(build, error, log) : error;
  } finally {
    clearInterval(timer);
    await writing;
  }
  await giveNames(build, directory);
  await writeFile(join(directory, "go-version"), `${version}\n`);
}

function buildArguments(build: GoBuild, directory: string): string[] {
  return [
    "build",
    "-v",
    "-trimpath",
    "-buildvcs=false",
    ...(build.tags?.length ? ["-tags", build.tags.join(",")] : []),
    "-ldflags",
    build.ldflags ?? "-s -w",
    "-o",
    `${directory}/`,
    ...new Set(Object.values(build.binaries)),
  ];
}

/** Go names a binary after its package's directory. */
async function giveNames(build: GoBuild, directory: string): Promise<void> {
  for (const [name, source] of Object.entries(build.binaries)) {
    const given = goName(source);
    if (given !== name) await rename(join(directory, given), join(directory, name));
  }
}

function goName(source: string): string {
  const parts = source.split("/");
  const last = parts.at(-1) ?? source;
  return /^v\d+$/.test(last) ? (parts.at(-2) ?? last) : last;
}

function buildFailed(build: GoBuild, error: RunError, log: string): OperatorError {
  const lines = error.stderr.split("\n").filter((line) => /:|error|fail/i.test(line));
  return new OperatorError({
    key: `go build of ${build.label}`,
    found: lines.slice(-5).join("\n") || error.message,
    fix: `see ${log}; the first build needs a Go module proxy (\`go env GOPROXY\` names it), later ones need none`,
  });
}

/** @returns Go's version, such as "1.26.8" */
export async function requireGo(directory: string): Promise<string> {
  const allowed = `Go ${GO_MINIMUM} or newer`;
  const fix = `install Go from https://go.dev/dl/ and put its bin directory on PATH`;
  let printed: string;
  try {
    printed = (await run("go", ["version"], { cwd: directory, timeoutMs: 20_000 })).stdout;
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const found = error.code === "ENOENT" ? "not on PATH" : error.message;
    throw new OperatorError({ key: "go", found, allowed, fix });
  }
  const version = /\bgo(\d+\.\d+(?:\.\d+)?)/.exec(printed)?.[1];
  if (version === undefined || !goServes(version)) {
    throw new OperatorError({ key: "go", found: printed.trim(), allowed, fix });
  }
  return version;
}

export function goServes(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [needMajor = 0, needMinor = 0] = GO_MINIMUM.split(".").map(Number);
  return major > needMajor || (major === needMajor && minor >= needMinor);
}

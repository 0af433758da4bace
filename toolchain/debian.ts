import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../shared/errors.ts";
import { RunError, run } from "../shared/exec.ts";
import { cacheEntry, cachePath, contentKey } from "./cache.ts";
import { withLock } from "./lock.ts";

export interface Machine {
  /** Debian or one of its children, by /etc/os-release. */
  readonly debian: boolean;
  /** Such as "Debian GNU/Linux 12 (bookworm)". */
  readonly name: string;
  readonly root: boolean;
}

/** Reads what /etc/os-release says. */
export function parseOsRelease(text: string): Omit<Machine, "root"> {
  const values = new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      const [name, ...rest] = line.split("=");
      return name && rest.length > 0 ? [[name, rest.join("=").replace(/^["']|["']$/g, "")]] : [];
    }),
  );
  const families = [values.get("ID") ?? "", ...(values.get("ID_LIKE") ?? "").split(" ")];
  return { debian: families.includes("debian"), name: values.get("PRETTY_NAME") ?? process.platform };
}

/** This machine. */
export async function thisMachine(): Promise<Machine> {
  const text = existsSync("/etc/os-release") ? await readFile("/etc/os-release", "utf8") : "";
  return { ...parseOsRelease(text), root: process.getuid?.() === 0 };
}

/** The error for a machine where the packages cannot be installed by us; undefined where they can. */
export function cannotInstall(missing: readonly string[], why: string, machine: Machine): OperatorError | undefined {
  if (machine.debian && machine.root) return undefined;
  return new OperatorError({
    key: missing.join(", "),
    found: machine.debian
      ? "not installed, and this user is not root"
      : `not installed, and this is no Debian (${machine.name})`,
    allowed: why,
    fix: machine.debian
      ? `run: sudo apt-get update && sudo apt-get install -y ${missing.join(" ")}`
      : `install ${missing.join(", ")} by the means of your system, or use a Debian 12 or 13 machine`,
  });
}

/**
 * Installs the packages that are missing, as root on Debian.
 *
 * @param why – what they are needed for, for the error
 * @throws OperatorError – elsewhere, naming the line to run; or when apt fails
 */
export async function ensureDebianPackages(
  packages: readonly string[],
  why: string,
  report: (line: string) => void,
): Promise<void> {
  const machine = await thisMachine();
  if ((await missingPackages(packages)).length === 0) return;
  await withLock("vpai-apt", async () => {
    const missing = await missingPackages(packages);
    if (missing.length === 0) return;
    const refusal = cannotInstall(missing, why, machine);
    if (refusal) throw refusal;
    report(`installing ${missing.join(", ")} from Debian`);
    await aptWithLists(["install", "-y", "--no-install-recommends", ...missing]);
    const still = await missingPackages(packages);
    if (still.length > 0) throw aptFailed(still, "apt reports success, dpkg does not have them");
  });
}

/** Those of the packages that dpkg does not have installed; all of them where there is no dpkg. */
async function missingPackages(packages: readonly string[]): Promise<string[]> {
  const format = "${db:Status-Abbrev}${binary:Package}\n";
  let printed = "";
  try {
    printed = (await run("dpkg-query", ["-W", "-f", format, ...packages])).stdout;
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    printed = error.stdout; // exit 1 says that some are unknown; it lists the others all the same
  }
  const installed = printed
    .split("\n")
    .flatMap((line) => (line.startsWith("ii ") ? [line.slice(3).split(":")[0]] : []));
  return packages.filter((name) => !installed.includes(name));
}

/**
 * The files of a Debian package, without installing it: for programs without dependencies.
 *
 * @param files – paths in the package, such as "/usr/bin/docker-registry"
 * @returns the directory that stands for "/": "/" itself where the package is installed, else an entry of the cache
 * @throws OperatorError – not Debian, or the package is not available
 */
export async function ensureDebianFiles(
  name: string,
  files: readonly string[],
  report: (line: string) => void,
): Promise<string> {
  if (files.every((file) => existsSync(file))) return "/";
  const machine = await thisMachine();
  const key = `${name}-${contentKey(machine.name, process.arch)}`;
  const path = cachePath("debian", key);
  if (!existsSync(path) && !machine.debian) throw cannotInstall([name], `files of Debian's ${name}`, machine);
  const fetchFiles = async (directory: string): Promise<void> => {
    report(`fetching ${name} from Debian`);
    await aptWithLists(["download", name], directory);
    const archive = (await readdir(directory)).find((file) => file.endsWith(".deb"));
    if (archive === undefined) throw aptFailed([name], "apt-get download left no file");
    await run("dpkg-deb", ["-x", join(directory, archive), directory]);
    const missing = files.filter((file) => !existsSync(join(directory, file)));
    if (missing.length > 0) throw aptFailed([name], `${archive} does not contain ${missing.join(", ")}`);
  };
  // An older version may have wanted other files of it.
  const intact = (path: string): Promise<boolean> =>
    Promise.resolve(files.every((file) => existsSync(join(path, file))));
  const entry = await cacheEntry("debian", key, fetchFiles, undefined, intact);
  return entry.path;
}

/** Runs apt-get; refreshes the lists first if there are none, and again if a listed package no longer exists. */
async function aptWithLists(args: readonly string[], cwd = "/"): Promise<void> {
  const lists = existsSync("/var/lib/apt/lists") ? await readdir("/var/lib/apt/lists") : [];
  const fresh = !lists.some((file) => file.includes("_Packages"));
  if (fresh) await apt(["update"], cwd);
  try {
    await apt(args, cwd);
  } catch (error) {
    if (fresh || !(error instanceof OperatorError)) throw error;
    await apt(["update"], cwd);
    await apt(args, cwd);
  }
}

async function apt(args: readonly string[], cwd: string): Promise<void> {
  const quiet = ["-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "APT::Sandbox::User=root"];
  try {
    await run("apt-get", [...quiet, ...args], { cwd, env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" } });
  } catch (error) {
    throw error instanceof RunError ? aptFailed(args, error.message) : error;
  }
}

function aptFailed(what: readonly string[], found: string): OperatorError {
  return new OperatorError({
    key: `apt-get ${what.join(" ")}`,
    found,
    fix: "run `apt-get update` and look at what it says; the machine must reach a Debian mirror",
  });
}

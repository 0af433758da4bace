import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../../shared/exec.ts";
import { ensureDebianPackages } from "../../toolchain/debian.ts";
import type { Layer, Report } from "./layers.ts";
import { ensureLayerFile } from "./layers.ts";
import { npmInstall } from "./npm.ts";
import { archive, neededFiles, type Unneeded } from "./prune.ts";

export interface PythonProgram {
  readonly name: string;
  /** File with every package at its version and with its hashes, as pip takes it. */
  readonly requirements: string;
  /** Version of Python in the layers below, such as 3.13. */
  readonly python: string;
  /** Its virtual environment, without leading slash. */
  readonly venv: string;
  /** The layers that it runs on, the lowest first. */
  readonly over: readonly Layer[];
  /** Packages from npm, by version, that lie in /tools while the commands run, and are not in the layer. */
  readonly tools?: Readonly<Record<string, string>>;
  /** Shell lines run in the root of all these layers, without a network; what they change below `venv` stays. */
  readonly commands: readonly string[];
  readonly unneeded: readonly Unneeded[];
}

/** Oldest first: a wheel says which C library it wants at least. */
const C_LIBRARIES = ["2_17", "2_24", "2_26", "2_27", "2_28", "2_31", "2_34", "2_36"];

/** A layer with a virtual environment: only wheels, only those of the hashes that are listed, compiled to bytecode. */
export async function pipLayer(program: PythonProgram, report: Report): Promise<Layer> {
  const { name, python, venv, over, tools = {}, unneeded } = program;
  const commands = [...program.commands, compileLine(venv, python)];
  const requirements = await readFile(program.requirements, "utf8");
  const inputs = {
    requirements,
    python,
    venv,
    tools,
    commands,
    over: over.map(({ digest }) => digest),
    unneeded: unneeded.map(({ files }) => String(files)),
  };
  return ensureLayerFile(name, inputs, report, async (file) => {
    await ensureDebianPackages(["python3-pip"], `to fetch the Python packages of ${name}`, report);
    const root = join(dirname(file), "root");
    await mkdir(root);
    for (const layer of over) await run("tar", ["-xf", layer.file, "-C", root]);
    await makeVenv(join(root, venv), python);
    await install(program.requirements, join(root, sitePackages(venv, python)), python);
    await npmInstall(join(root, "tools"), tools);
    await inRoot(root, commands);
    await archive(root, await venvFiles(root, venv, unneeded), file);
    await rm(root, { recursive: true });
  });
}

export function sitePackages(venv: string, python: string): string {
  return `${venv}/lib/python${python}/site-packages`;
}

async function makeVenv(path: string, python: string): Promise<void> {
  await mkdir(join(path, "bin"), { recursive: true });
  await writeFile(join(path, "pyvenv.cfg"), `home = /usr/bin\ninclude-system-site-packages = false\n`);
  for (const name of ["python", "python3"]) await symlink(`/usr/bin/python${python}`, join(path, "bin", name));
}

async function install(requirements: string, target: string, python: string): Promise<void> {
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const platforms = C_LIBRARIES.toReversed().flatMap((version) => ["--platform", `manylinux_${version}_${machine}`]);
  await run("/usr/bin/python3", [
    ...["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--root-user-action=ignore", "--no-user"],
    ...["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", "--requirement", requirements],
    ...["--target", target, "--python-version", python, "--implementation", "cp", ...platforms],
    // It compares with the Python that pip runs on; the list was made for the other.
    "--ignore-requires-python",
  ]);
}

/** Compiles all of it, also what the commands have compiled with a time, to bytecode that is valid for its source whatever the time says, since archives know one time only. */
function compileLine(venv: string, python: string): string {
  return `${venv}/bin/python3 -m compileall -q -f -j 2 --invalidation-mode unchecked-hash ${sitePackages(venv, python)}`;
}

/** Runs the lines with the root as `/`. Its mounts are in a namespace of their own, so they end with it in any case. */
async function inRoot(root: string, lines: readonly string[]): Promise<void> {
  const script = `set -eu
mkdir -p "$1/dev" "$1/proc" "$1/tmp"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
exec chroot "$1" env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp PYTHONHASHSEED=0 sh -euc "cd /; $2"`;
  await run("unshare", [
    "--mount",
    "--net",
    "--propagation",
    "private",
    "sh",
    "-c",
    script,
    "sh",
    root,
    lines.join("\n"),
  ]);
}

/** The virtual environment and the folders above it, without what is not needed. */
async function venvFiles(root: string, venv: string, unneeded: readonly Unneeded[]): Promise<string[]> {
  const needed = await neededFiles(join(root, venv), unneeded);
  const parents = venv.split("/").map((_, index, names) => names.slice(0, index + 1).join("/"));
  return [...parents, ...needed.map((path) => `${venv}/${path}`)];
}

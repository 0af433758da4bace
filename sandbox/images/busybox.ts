import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../shared/exec.ts";
import { ensureDebianFiles } from "../../toolchain/debian.ts";
import { buildGo } from "../../toolchain/go.ts";
import type { Layer, Report } from "./layers.ts";
import { ensureLayer } from "./layers.ts";
import type { TarEntry } from "./tar.ts";
import { directories, writeTar } from "./tar.ts";

/** A root with BusyBox alone (Debian's static one): `sh`, `wget`, `nc` and their like, as Alpine images have. */
export function busyboxBase(report: Report): Promise<Layer> {
  return ensureLayer("busybox", { version: 1 }, report, async () => {
    const program = join(await ensureDebianFiles("busybox-static", ["/bin/busybox"], report), "bin", "busybox");
    const applets = (await run(program, ["--list"])).stdout.split("\n").filter((name) => name !== "busybox");
    const empty = ["dev", "etc", "home", "opt", "proc", "root", "run", "sbin", "srv", "sys", "usr/bin", "usr/sbin"];
    const entries: TarEntry[] = [
      ...directories(
        "bin/x",
        ...[...empty, "usr/local/bin", "usr/share", "var/lib", "var/log"].map((path) => `${path}/x`),
      ),
      { kind: "dir", path: "tmp", mode: 0o1777 },
      { kind: "file", path: "bin/busybox", mode: 0o755, content: await readFile(program) },
      ...applets.map((name) => ({ kind: "link", path: `bin/${name}`, target: "busybox" }) as const),
    ];
    return writeTar(entries);
  });
}

export interface GoProgram {
  readonly name: string;
  /** Folder of its module. */
  readonly module: string;
  /** The files and folders of the module that it is made of. @default all */
  readonly parts?: readonly string[];
  readonly importPath: string;
  /** The value of -ldflags. @default strip symbols */
  readonly ldflags?: string;
  /** Where it lies in the image, without leading slash. */
  readonly path: string;
  /** Its `security.capability`. */
  readonly capability?: Buffer;
}

/** Builds one Go program statically; answers the folder that holds it under its name. */
export function goFolder(program: GoProgram, report: Report): Promise<string> {
  const { name, module, parts, importPath, ldflags } = program;
  return buildGo({
    dir: module,
    ...(parts && { parts }),
    ...(ldflags !== undefined && { ldflags }),
    binaries: { [name]: importPath },
    env: { CGO_ENABLED: "0" },
    label: `${name} (sandbox image)`,
    report,
  });
}

/** A layer that holds one statically built Go program. */
export async function goLayer(program: GoProgram, report: Report): Promise<Layer> {
  const { name, path, capability } = program;
  const folder = await goFolder(program, report);
  // The build's folder is named after everything that went into it.
  return ensureLayer(name, { folder, path, capability: capability?.toString("hex") }, report, async () => {
    const content = await readFile(join(folder, name));
    const file = { kind: "file", path, mode: 0o755, content } as const;
    return writeTar([...directories(path), capability === undefined ? file : { ...file, capability }]);
  });
}

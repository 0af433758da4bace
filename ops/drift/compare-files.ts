import type { Actual, ActualPath } from "./actual.ts";
import type { Drift } from "./drift.ts";
import type { Expected, ExpectedFile, ExpectedFolder } from "./expected.ts";

type Wanted = Pick<ExpectedFile, "sha256" | "mode" | "owner">;

/** How a file differs; undefined if it does not. */
export function fileDifference(
  wanted: Wanted,
  found: ActualPath | null,
): { readonly expected: string; readonly actual: string } | undefined {
  if (found === null) return { expected: "a file", actual: "not found" };
  if (found.kind !== "file") return { expected: "a file", actual: `a ${found.kind}` };
  if (found.sha256 !== wanted.sha256) {
    return { expected: `sha256 ${wanted.sha256.slice(0, 12)}`, actual: `sha256 ${found.sha256?.slice(0, 12)}: edited` };
  }
  return accessDifference(wanted, found);
}

function accessDifference(wanted: Pick<Wanted, "mode" | "owner">, found: ActualPath) {
  const text = ({ mode, owner }: Pick<Wanted, "mode" | "owner">): string => `mode ${mode}, owner ${owner.join(":")}`;
  return text(wanted) === text(found) ? undefined : { expected: text(wanted), actual: text(found) };
}

/** The services' files: changed, missing, and such as no service has. */
export function compareFiles({ files, trees }: Expected, { paths, trees: found }: Actual): Drift[] {
  const lost = trees.filter(({ path }) => paths[path]?.kind !== "folder");
  const below = (path: string): boolean => lost.some((tree) => path.startsWith(`${tree.path}/`));
  const known = new Set(files.map(({ path }) => path));
  const missing = lost.map(({ path, service }): Drift => ({
    resource: `folder ${path}`,
    expected: "a folder",
    actual: "not found",
    // A container keeps seeing the removed folder: it has nothing to reload.
    repair: { kind: "files", service, container: true, stop: true },
  }));
  const changed = files
    .filter(({ path }) => !below(path))
    .flatMap((file): Drift[] => {
      const seen = paths[file.path] ?? null;
      const differs = fileDifference(file, seen);
      const container = seen?.sha256 !== file.sha256 && !file.reloaded;
      const repair = { kind: "files", service: file.service, container } as const;
      return differs ? [{ resource: `file ${file.path}`, ...differs, repair }] : [];
    });
  const extra = trees.flatMap(({ path, service }) =>
    (found[path] ?? [])
      .filter((each) => !known.has(each))
      .map((each): Drift => ({
        resource: `file ${each}`,
        expected: "none",
        actual: "a file",
        repair: { kind: "files", service, container: false },
      })),
  );
  return [...missing, ...changed, ...extra];
}

/** The services' data: what is lost is never made again in silence. */
export function compareData({ stack, folders }: Expected, { paths, mounts }: Actual): Drift[] {
  return folders.flatMap((folder) => {
    const differs = dataDifference(folder, paths[folder.path] ?? null, mounts, stack);
    return differs ? [{ resource: `data ${folder.path}`, ...differs }] : [];
  });
}

function dataDifference(
  folder: ExpectedFolder,
  found: ActualPath | null,
  mounts: Actual["mounts"],
  stack: string,
): Omit<Drift, "resource"> | undefined {
  const { path, service } = folder;
  const lost = { kind: "lost", fix: startEmpty(service, stack) } as const;
  if (found === null) return { expected: "a folder", actual: "not found", repair: lost };
  if (found.kind !== "folder") return { expected: "a folder", actual: `a ${found.kind}`, repair: lost };
  const other = mounts.some(({ source, same }) => source === path && same === false);
  if (other) {
    const actual = `another folder${found.empty ? ", empty" : ""}`;
    return { expected: "the folder that its container uses", actual, repair: lost };
  }
  const differs = accessDifference(folder, found);
  return differs && { ...differs, repair: { kind: "files", service, container: false } };
}

const startEmpty = (service: string, stack: string): string =>
  `put the data of ${service} back where it was (from a backup) and restart its container; or start ${service} without it: ` +
  `\`vpai up --skip-inspect --stack ${stack} -- --replace '**::${service}-files' --replace '**::${service}-prepared' --replace '**::${service}-container' --replace '**Command::*-database'\``;

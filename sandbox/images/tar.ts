import { createHash } from "node:crypto";

/** One member of a layer. Paths have no leading slash. */
export type TarEntry = {
  readonly path: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
} & (
  | { readonly kind: "dir" }
  | {
      readonly kind: "file";
      readonly content: Buffer | string;
      /** `security.capability`, for programs that may bind low ports. */
      readonly capability?: Buffer;
    }
  | { readonly kind: "link"; readonly target: string }
);

const block = 512;
/** One instant for every member, so that equal content has an equal digest. */
const mtime = 1_700_000_000;

/** Writes a ustar archive; the same entries give the same bytes. List each parent directory before its content. */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const content = entry.kind === "file" ? Buffer.from(entry.content as string) : Buffer.alloc(0);
    if (entry.kind === "file" && entry.capability !== undefined) {
      const record = paxRecord("SCHILY.xattr.security.capability", entry.capability);
      parts.push(header(`pax/${entry.path}`, "x", 0o644, 0, 0, record.length, ""), padded(record));
    }
    const type = entry.kind === "dir" ? "5" : entry.kind === "link" ? "2" : "0";
    const mode = entry.mode ?? (entry.kind === "file" ? 0o644 : entry.kind === "dir" ? 0o755 : 0o777);
    const path = entry.kind === "dir" ? `${entry.path}/` : entry.path;
    const target = entry.kind === "link" ? entry.target : "";
    parts.push(header(path, type, mode, entry.uid ?? 0, entry.gid ?? 0, content.length, target), padded(content));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

/** The directories above the given paths, parents first, mode 0755. */
export function directories(...paths: readonly string[]): TarEntry[] {
  const parents = paths.flatMap((path) => {
    const names = path.split("/").slice(0, -1);
    return names.map((_, index) => names.slice(0, index + 1).join("/"));
  });
  return [...new Set(parents)].map((path) => ({ kind: "dir", path }));
}

function header(
  path: string,
  type: string,
  mode: number,
  uid: number,
  gid: number,
  size: number,
  link: string,
): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`path too long for this archive: ${path}`);
  const head = Buffer.alloc(block);
  const octal = (value: number, at: number, width: number) =>
    head.write(value.toString(8).padStart(width - 1, "0"), at, "latin1");
  head.write(path, 0);
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  head.write("        ", 148);
  head.write(type, 156);
  head.write(link, 157);
  head.write("ustar\0" + "00", 257, "latin1");
  head.write(
    head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0") + "\0 ",
    148,
    "latin1",
  );
  return head;
}

/** A pax record says its own length, digits included. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((block - (content.length % block)) % block)]);
}

/** One member of an archive read back, with where its bytes lie. */
export interface TarMember {
  /** Without leading `./` and trailing slash; empty for the root. */
  readonly path: string;
  /** ustar's type: `0` file, `1` hard link, `2` symbolic link, `5` directory. */
  readonly type: string;
  readonly target: string;
  /** Equal for members equal in all but time. */
  readonly signature: string;
  /** Bytes of the member, its extended headers included. */
  readonly start: number;
  readonly end: number;
}

/** Lists an archive (ustar, pax or GNU). */
export function readTar(archive: Buffer): TarMember[] {
  const members: TarMember[] = [];
  let start = 0;
  let at = 0;
  let longPath: string | undefined;
  let longTarget: string | undefined;
  while (at + block <= archive.length && archive[at] !== 0) {
    const head = archive.subarray(at, at + block);
    const type = head.toString("latin1", 156, 157).replace("\0", "0");
    const size = Number.parseInt(text(head, 124, 12).trim() || "0", 8);
    const content = archive.subarray(at + block, at + block + size);
    at += block + Math.ceil(size / block) * block;
    if (type === "x") {
      longPath = paxValue(content, "path") ?? longPath;
      longTarget = paxValue(content, "linkpath") ?? longTarget;
    } else if (type === "L") longPath = content.toString().replace(/\0.*$/, "");
    else if (type === "K") longTarget = content.toString().replace(/\0.*$/, "");
    else if (type === "g") start = at;
    else {
      const prefix = head.toString("latin1", 257, 263) === "ustar\0" ? text(head, 345, 155) : "";
      const path = longPath ?? (prefix === "" ? text(head, 0, 100) : `${prefix}/${text(head, 0, 100)}`);
      const target = longTarget ?? text(head, 157, 100);
      const hash = createHash("sha256").update(head.subarray(100, 124)).update(`${type}${target}\0`).update(content);
      members.push({ path: plain(path), type, target: plain(target), signature: hash.digest("hex"), start, end: at });
      start = at;
      longPath = longTarget = undefined;
    }
  }
  return members;
}

function text(head: Buffer, at: number, width: number): string {
  return head.toString("utf8", at, at + width).replace(/\0.*$/s, "");
}

function plain(path: string): string {
  return path.replace(/^(\.\/)+|^\.$/, "").replace(/\/$/, "");
}

function paxValue(content: Buffer, key: string): string | undefined {
  return new RegExp(`^\\d+ ${key}=(.*)$`, "m").exec(content.toString())?.[1];
}

/**
 * The members of `full` that `base` lacks or has otherwise, without what `drop` matches, as a layer over `base`.
 * Directories above them come along: Docker makes a missing parent with no permissions.
 */
export function differenceTar(full: Buffer, base: Buffer | undefined, drop: readonly RegExp[]): Buffer {
  const known = new Map(base === undefined ? [] : readTar(base).map((member) => [member.path, member.signature]));
  const members = readTar(full);
  const kept = members.filter(
    (member) => known.get(member.path) !== member.signature && !drop.some((pattern) => pattern.test(member.path)),
  );
  const wanted = new Set(kept.map((member) => member.path));
  for (const { path, type, target } of kept) {
    if (type === "1" && !wanted.has(target))
      throw new Error(`${path} is a hard link to ${target}, which is not in the layer`);
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) wanted.add(path.slice(0, at));
  }
  const parts = members.filter((member) => wanted.has(member.path)).map(({ start, end }) => full.subarray(start, end));
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

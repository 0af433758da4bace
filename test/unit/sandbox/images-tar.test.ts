import { execFileSync } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import type { TarEntry } from "../../../sandbox/images/tar.ts";
import { differenceTar, directories, readTar, writeTar } from "../../../sandbox/images/tar.ts";

const listed = (archive: Buffer) =>
  execFileSync("tar", ["--numeric-owner", "--utc", "-tvf", "-"], { input: archive, encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.replace(/ +/g, " "));
const paths = (archive: Buffer) => readTar(archive).map(({ path }) => path);

describe("an archive", () => {
  const entries: TarEntry[] = [
    { kind: "dir", path: "data", mode: 0o1777, uid: 999, gid: 1000 },
    { kind: "file", path: "data/hello", content: "hello\n", mode: 0o755 },
    { kind: "link", path: "data/link", target: "/data/hello" },
  ];

  test("is one that tar reads", () => {
    expect(listed(writeTar(entries))).toEqual([
      "drwxrwxrwt 999/1000 0 2023-11-14 22:13 data/",
      "-rwxr-xr-x 0/0 6 2023-11-14 22:13 data/hello",
      "lrwxrwxrwx 0/0 0 2023-11-14 22:13 data/link -> /data/hello",
    ]);
  });

  test("is equal to the byte for equal entries, and other for others", () => {
    expect(writeTar(entries).equals(writeTar(entries))).toBe(true);
    expect(writeTar(entries).equals(writeTar(entries.slice(0, 2)))).toBe(false);
  });

  test("carries a file's capability as an extended attribute", () => {
    const capability = Buffer.from("0100000200040000000000000000000000000000", "hex");
    const archive = writeTar([{ kind: "file", path: "bind", content: "x", capability }]);
    expect(archive.includes(Buffer.concat([Buffer.from("57 SCHILY.xattr.security.capability="), capability]))).toBe(
      true,
    );
    expect(listed(archive)).toEqual(["-rw-r--r-- 0/0 1 2023-11-14 22:13 bind"]);
  });

  test("refuses a path that its header cannot hold", () => {
    expect(() => writeTar([{ kind: "dir", path: "a".repeat(100) }])).toThrow("path too long");
  });

  test("is read back with long names, as GNU tar and pax write them", () => {
    const long = `${"d".repeat(90)}/${"f".repeat(90)}`;
    for (const format of ["gnu", "pax"]) {
      const script = `cd "$(mktemp -d)" && mkdir ${"d".repeat(90)} && echo x > ${long} && tar --format=${format} -cf - . && rm -r "$PWD"`;
      const archive = execFileSync("sh", ["-ec", script]);
      expect(paths(archive)).toEqual(["", "d".repeat(90), long]);
    }
  });
});

describe("the difference between two roots", () => {
  const file = (path: string, content: string): TarEntry => ({ kind: "file", path, content });
  const base = writeTar([...directories("usr/bin/a"), file("usr/bin/a", "1"), file("usr/bin/b", "1")]);

  test("is what is new or otherwise, with the directories above it and no others", () => {
    const full = writeTar([
      ...directories("usr/bin/a", "usr/share/doc/c", "etc/x"),
      file("usr/bin/a", "1"),
      file("usr/bin/b", "2"),
      file("usr/bin/c", "1"),
      file("usr/share/doc/c", "text"),
    ]);
    const drop = [/^usr\/share\/doc/, /^etc$/];
    expect(paths(differenceTar(full, base, drop))).toEqual(["usr", "usr/bin", "usr/share", "usr/bin/b", "usr/bin/c"]);
  });

  test("of equal roots is empty", () => {
    expect(paths(differenceTar(base, base, []))).toEqual([]);
  });
});

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { mountsBelow, unmountBelow } from "../../../sandbox/supervisor/mounts.ts";

test("mount points below a folder, the innermost first, and no other ones", () => {
  const lines = [
    "/",
    "/w/sandbox",
    "/w/sandbox/tmp/a/dev",
    "/w/sandbox/tmp/a/dev/pts",
    "/w/sandbox-2/proc",
    "/w/sandbox/b\\040c",
  ];
  const mountinfo = lines.map((path) => `36 35 98:0 / ${path} rw,noatime master:1 - ext4 /dev/root rw`).join("\n");
  expect(mountsBelow(mountinfo, "/w/sandbox")).toEqual([
    "/w/sandbox/tmp/a/dev/pts",
    "/w/sandbox/tmp/a/dev",
    "/w/sandbox/b c",
  ]);
});

test("a folder with mounts in it can be removed afterwards", async () => {
  const folder = mkdtempSync(join(tmpdir(), "vpai-mounts-"));
  for (const path of ["dev", "dev/pts"]) {
    mkdirSync(join(folder, path), { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(folder, path)]);
    mkdirSync(join(folder, path, "pts"), { recursive: true });
  }
  await unmountBelow(folder);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(folder);
  rmSync(folder, { recursive: true });
});

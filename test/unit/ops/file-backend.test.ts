import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { parseStat } from "../../../ops/recover/processes.ts";
import {
  judgeCheckpoint,
  parseLock,
  readCheckpoint,
  readLocks,
  restoreBackup,
  stateFiles,
  removePartialFiles,
  type StateFiles,
} from "../../../ops/stack/file-backend.ts";

let folder: string;
let files: StateFiles;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vpai-state-"));
  const found = stateFiles(`file://${folder}?no_tmp_dir=true`, "vpai", "sandbox");
  if (!found) throw new Error("a file backend was not recognised");
  files = found;
  mkdirSync(dirname(files.checkpoint), { recursive: true });
  mkdirSync(files.locks, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

const clean = JSON.stringify({
  version: 4,
  checkpoint: { stack: "organization/vpai/sandbox", latest: { resources: [] } },
});
const pending = JSON.stringify({ version: 4, checkpoint: { latest: { pending_operations: [{ type: "creating" }] } } });
const lock = '{"pid":20071,"username":"operator","hostname":"workstation","timestamp":"2026-11-23T16:05:51.09Z"}';

test("only a file backend is read directly", () => {
  expect(files.checkpoint).toBe(join(folder, ".pulumi/stacks/vpai/sandbox.json"));
  expect(files.locks).toBe(join(folder, ".pulumi/locks/organization/vpai/sandbox"));
  expect(stateFiles("s3://bucket", "vpai", "prod")).toBeUndefined();
  expect(stateFiles(undefined, "vpai", "prod")).toBeUndefined();
});

test.each([
  [clean, "clean"],
  [pending, "pending"],
  [clean.slice(0, 40), "broken"],
  ["", "broken"],
  ["{}", "broken"],
])("the checkpoint %j is judged %s", (text, verdict) => {
  expect(judgeCheckpoint(text)).toBe(verdict);
});

describe("a checkpoint", () => {
  test("that is not there is absent; beside its backup it is broken", async () => {
    expect(await readCheckpoint(files)).toBe("absent");
    writeFileSync(files.backup, clean);
    expect(await readCheckpoint(files)).toBe("broken");
  });

  test("that is compressed is for the engine to read", async () => {
    writeFileSync(`${files.checkpoint}.gz`, "");
    expect(await readCheckpoint(files)).toBe("elsewhere");
  });

  test("cut short is replaced by the one before it, and kept", async () => {
    writeFileSync(files.checkpoint, clean.slice(0, 40));
    writeFileSync(files.backup, pending);
    expect(await restoreBackup(files)).toBe(true);
    expect(await readCheckpoint(files)).toBe("pending");
    expect(readFileSync(`${files.checkpoint}.broken`, "utf8")).toBe(clean.slice(0, 40));
  });

  test("is left alone when the one before it is broken too", async () => {
    writeFileSync(files.checkpoint, "x");
    writeFileSync(files.backup, "y");
    expect(await restoreBackup(files)).toBe(false);
    expect(readFileSync(files.checkpoint, "utf8")).toBe("x");
  });
});

test("locks are read with their holder; a half-written one has none", async () => {
  writeFileSync(join(files.locks, "a.json"), lock);
  writeFileSync(join(files.locks, "a.json.attrs"), "{}");
  writeFileSync(join(files.locks, "b.json"), lock.slice(0, 20));
  const found = await readLocks(files);
  expect(found.toSorted((a, b) => a.file.localeCompare(b.file))).toEqual([
    {
      file: join(files.locks, "a.json"),
      holder: { pid: 20071, user: "operator", host: "workstation", since: "2026-11-23T16:05:51.09Z" },
    },
    { file: join(files.locks, "b.json") },
  ]);
  expect(parseLock("null")).toBeUndefined();
});

test("what a killed write leaves beside the checkpoint goes, the checkpoint stays", async () => {
  writeFileSync(files.checkpoint, clean);
  writeFileSync(`${files.checkpoint}.1f.tmp`, "half");
  writeFileSync(join(dirname(files.checkpoint), "prod.json.2e.tmp"), "another stack's run is writing it");
  writeFileSync(`${files.checkpoint}.attrs`, "");
  writeFileSync(`${files.backup}.attrs`, '{"md5":"AA=="}');
  await removePartialFiles(files);
  expect(readdirSync(dirname(files.checkpoint))).toEqual([
    "prod.json.2e.tmp",
    "sandbox.json",
    "sandbox.json.bak.attrs",
  ]);
});

test("a process is read from /proc, whatever its name holds", () => {
  const fields = ["S", "1", "20071", "20065", ...Array<string>(15).fill("0"), "250", "0"].join(" ");
  expect(parseStat(`20090 (a (b) c) ${fields}`, 1_000_000)).toEqual({
    pid: 20090,
    command: "a (b) c",
    state: "S",
    session: 20065,
    started: 1_002_500,
  });
  expect(parseStat("", 0)).toBeUndefined();
});

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "@jest/globals";
import type { Actual } from "../../../../ops/drift/actual.ts";
import type { Expected } from "../../../../ops/drift/expected.ts";
import { runFast } from "../../../../ops/fast-path/fast-path.ts";
import { digestOf, readConverged, serverRecordOf, withoutSecrets } from "../../../../ops/fast-path/record.ts";
import { programFingerprint } from "../../../../ops/deletion/plan-fingerprint.ts";
import { rememberConverged } from "../../../../ops/fast-path/remember.ts";
import type { StackContext } from "../../../../ops/stack/context.ts";
import { stateFiles } from "../../../../ops/stack/file-backend.ts";
import { clean, expected as sample, withAnswer, withContainer } from "../drift/sample.ts";

// The command and its files; a stand-in for ssh alone, which notes what it is asked and answers from a file.

const scratch = mkdtempSync(join(tmpdir(), "vpai-fast-"));
const { server: _server, ...existing } = sample;
const expected: Expected = {
  ...existing,
  access: { ...existing.access, privateKey: "the-private-key" },
  readbacks: existing.readbacks.map((each) => ({ ...each, stdin: "AUTH the-password\n" })),
  probes: existing.probes.map((each) => ({
    ...each,
    request: { ...each.request, path: "/key?id=the-hash", headers: { authorization: "Bearer the-master-key" } },
  })),
};
let context: StackContext;
let lines: string[];

beforeEach(() => {
  rmSync(scratch, { recursive: true });
  mkdirSync(join(scratch, "state/.pulumi/stacks/vpai"), { recursive: true });
  const backend = `file://${join(scratch, "state")}`;
  const files = stateFiles(backend, "vpai", "sandbox");
  if (files === undefined) throw new Error("no files");
  writeFileSync(files.checkpoint, '{"checkpoint": {"latest": {"resources": []}}}');
  writeFileSync(
    join(scratch, "ssh"),
    `#!/bin/sh\ncat >> ${scratch}/asked\necho "--- $*" >> ${scratch}/asked\n` +
      `set -- ${scratch}/answer.*\n[ -f "$1" ] || exit 255\ncat "$1"\n[ $# -eq 1 ] || rm "$1"\n`,
  );
  chmodSync(join(scratch, "ssh"), 0o755);
  const env = { PATH: `${scratch}:${process.env["PATH"]}`, PULUMI_BACKEND_URL: backend, VPAI_WORK: scratch };
  context = { stack: "sandbox", workDir: scratch, relativeWorkDir: "work", env, files };
  lines = [];
});
afterAll(() => rmSync(scratch, { recursive: true }));

/** What ssh answers, call by call; the last one for ever. */
function answers(...all: unknown[]): void {
  rmSync(join(scratch, "asked"), { force: true });
  all.forEach((each, index) => writeFileSync(join(scratch, `answer.${index}`), JSON.stringify(each)));
}
const asked = (): string => readFileSync(join(scratch, "asked"), "utf8");
const run = (mayRepair = true) => runFast({ context, mayRepair, report: (line) => lines.push(line) });

async function remembered(): Promise<void> {
  answers({});
  await rememberConverged(context, expected, programFingerprint(context), ["openclaw"]);
}

test("what a run leaves on this machine has no secret; what it leaves on the server has what is asked there", async () => {
  await remembered();
  const local = readFileSync(join(scratch, "converged.json"), "utf8");
  expect(local).not.toMatch(/the-(private-key|password|master-key|hash)/);
  expect(statSync(join(scratch, "converged.json")).mode & 0o777).toBe(0o600);
  const [record = "", command] = asked().split("--- ");
  expect(record).toMatch(/AUTH the-password/);
  expect(record).toMatch(/Bearer the-master-key/);
  expect(record).not.toMatch(/the-private-key/);
  expect(command).toMatch(/umask 077.*\/var\/lib\/vpai\/converged\.json/);
  expect(command).not.toMatch(/the-/);
  const { fingerprint = "", serverRecord } = (await readConverged(scratch)) ?? {};
  expect(serverRecord).toBe(digestOf(record));
  expect(record).toBe(serverRecordOf(expected, fingerprint));
});

test("a server's token is no part of it either", () => {
  expect(withoutSecrets(sample).server).toEqual({ name: "vpai-prod", id: "42", token: "" });
});

test("nothing has changed: one question, and no engine", async () => {
  await remembered();
  answers(clean);
  const result = await run();
  expect(result).toMatchObject({ started: [], converged: { links: sample.links, fakes: ["openclaw"] } });
  expect(asked().match(/^--- /gm)).toHaveLength(1);
  expect(asked()).toMatch(/main_recorded\("\/var\/lib\/vpai\/converged\.json", "[0-9a-f]{64}"\)/);
  expect(lines).toEqual([]);
});

test("a stopped container is started, and waited for", async () => {
  await remembered();
  const stopped = withContainer("app", { status: "exited" });
  answers(stopped, {});
  expect(await run()).toMatchObject({ started: ["app"] });
  expect(asked()).toContain(
    `main(json.loads("[{\\"id\\":\\"${"a".repeat(64)}\\",\\"service\\":\\"app\\",\\"seconds\\":300}]"))`,
  );
  expect(lines.join("\n")).toMatch(
    /container app +running +exited[^]*1 difference repaired:\n +container app .*: started/,
  );
});

test("one that does not become healthy is for the engine, with what was seen", async () => {
  await remembered();
  answers(withContainer("app", { status: "exited" }), { app: "exited, exit code 3" });
  expect(await run()).toBeUndefined();
  expect(lines.at(-1)).toBe("! app: exited, exit code 3");
});

test("who wants to be asked first is not surprised by a container that is started", async () => {
  await remembered();
  answers(withContainer("app", { status: "exited" }));
  expect(await run(false)).toBeUndefined();
  expect(asked().match(/^--- /gm)).toHaveLength(1);
});

test.each<[what: string, answer: Actual | null]>([
  ["the server has another run's record, or none", null],
  ["something else differs", withAnswer(0, 404, {})],
])("%s: the engine runs", async (_what, answer) => {
  await remembered();
  answers(answer);
  expect(await run()).toBeUndefined();
});

test("a server that does not answer: the engine runs", async () => {
  await remembered();
  rmSync(join(scratch, "answer.0"));
  expect(await run()).toBeUndefined();
});

test.each<[what: string, change: () => void]>([
  ["another state", () => writeFileSync(context.files?.checkpoint ?? "", '{"checkpoint": {"latest": {}}}')],
  [
    "an interrupted run",
    () =>
      writeFileSync(
        join(scratch, "run.json"),
        JSON.stringify({ pid: 1, pgid: 1, started: "", user: "", host: "", verb: "up" }),
      ),
  ],
  [
    "a run under way",
    () => {
      mkdirSync(context.files?.locks ?? "", { recursive: true });
      writeFileSync(join(context.files?.locks ?? "", "a.json"), '{"pid": 1, "hostname": "x"}');
    },
  ],
  [
    "another setting of the environment",
    () => (context = { ...context, env: { ...context.env, VPAI_PUBLIC_PORT: "8443" } }),
  ],
  ["other images in the sandbox", () => writeFileSync(join(scratch, "images.json"), "{}")],
  ["a record that is no JSON", () => writeFileSync(join(scratch, "converged.json"), "{")],
])("%s: the server is not even asked", async (_what, change) => {
  await remembered();
  answers(clean);
  change();
  expect(await run()).toBeUndefined();
  expect(() => asked()).toThrow("ENOENT");
});

test("a file of the program that was edited while the engine ran is not taken for applied", async () => {
  answers({});
  await rememberConverged(context, expected, "as it was before the run");
  expect(await readConverged(scratch)).toBeUndefined();
});

test("the keys of a DNS provider are not left on this machine", () => {
  const dns = {
    zone: "example.com",
    records: [],
    kept: [],
    urn: "urn:dns",
    secrets: { ovhApplicationSecret: "the-key" },
  };
  expect(JSON.stringify(withoutSecrets({ ...expected, dns }))).not.toContain("the-key");
});

test("what could not be left on the server is not left here either", async () => {
  await rememberConverged(context, expected, programFingerprint(context));
  expect(await readConverged(scratch)).toBeUndefined();
});

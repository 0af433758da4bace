import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "@jest/globals";
import { fingerprint } from "../../../components/secrets/secrets.ts";

const SCRIPT = join(__dirname, "../../../files/host/check-permanent-secrets.py");
const scratch = mkdtempSync(join(tmpdir(), "vpai-permanent-"));
afterAll(() => rmSync(scratch, { recursive: true }));

let file: string;
let count = 0;
beforeEach(() => {
  file = join(scratch, `${(count += 1)}.json`);
});

const run = (wanted: Record<string, string>) =>
  spawnSync("python3", [SCRIPT], {
    input: JSON.stringify(wanted),
    env: { ...process.env, VPAI_PERMANENT: file },
    encoding: "utf8",
  });
const kept = (): unknown => JSON.parse(readFileSync(file, "utf8"));

test("a new one is remembered, for root alone; the same again is fine; one that is gone is kept", () => {
  expect(run({ "n8n-encryption-key": "a" })).toMatchObject({ status: 0, stdout: '{"new": ["n8n-encryption-key"]}\n' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(run({ "n8n-encryption-key": "a" })).toMatchObject({ status: 0, stdout: '{"new": []}\n' });
  expect(run({ "litellm-salt-key": "b" })).toMatchObject({ status: 0 });
  expect(kept()).toEqual({ "n8n-encryption-key": "a", "litellm-salt-key": "b" });
});

test("another one is refused by its name, and nothing is written", () => {
  run({ "n8n-encryption-key": "a" });
  const { status, stderr } = run({ "n8n-encryption-key": "b", "litellm-salt-key": "c" });
  expect([status, stderr]).toEqual([
    1,
    "permanent secret n8n-encryption-key: not the one that this server's data was made with\n" +
      "allowed: the one that it was made with; nothing was changed\n" +
      "do: bring back the state that holds it (pulumi stack import). If that data may be lost: leave the service out " +
      "(vpai:disabledServices), run up, vpai purge, take the service in again, run up\n",
  ]);
  expect(kept()).toEqual({ "n8n-encryption-key": "a" });
  expect(existsSync(`${file}.new`)).toBe(false);
});

test("a fingerprint tells values and names apart, and shows neither", () => {
  const prints = [fingerprint("a", "secret"), fingerprint("b", "secret"), fingerprint("a", "other")];
  expect(new Set(prints).size).toBe(3);
  for (const print of prints) expect(print).toMatch(/^[0-9a-f]{64}$/);
});

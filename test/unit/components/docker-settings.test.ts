import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";

// What the bootstrap makes of the /etc/docker/daemon.json of a server that had Docker.

const HOST = join(__dirname, "../../../files/host");
const scratch = mkdtempSync(join(tmpdir(), "vpai-docker-settings-"));
afterAll(() => rmSync(scratch, { recursive: true }));

function merged(theirs: string): { status: number | null; stdout: string; stderr: string } {
  const path = join(scratch, "daemon.json");
  writeFileSync(path, theirs);
  const { status, stdout, stderr } = spawnSync(
    "python3",
    [join(HOST, "docker-settings.py"), join(HOST, "daemon.json"), path],
    { encoding: "utf8", timeout: 20_000 },
  );
  return { status, stdout, stderr: stderr.replace(path, "daemon.json") };
}

test("the owner's settings stay, ours are added and win", () => {
  const theirs = { "data-root": "/mnt/data/docker", "log-driver": "journald", "default-address-pools": [] };
  expect(JSON.parse(merged(JSON.stringify(theirs)).stdout)).toEqual({
    "data-root": "/mnt/data/docker",
    "default-address-pools": [],
    "log-driver": "json-file",
    "log-opts": { "max-size": "10m", "max-file": "3" },
    "live-restore": true,
  });
});

test("a file that has ours is left as it is, so that Docker is not started again", () => {
  const once = merged('{"dns": ["9.9.9.9"]}').stdout;
  expect(merged(once).stdout).toBe(once);
  const other = '{"live-restore":true,   "log-opts":{"max-file":"3","max-size":"10m"},"log-driver":"json-file"}\n';
  expect(merged(other).stdout).toBe(other);
});

test.each([
  ["{", "daemon.json is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"],
  ["[]", "daemon.json is not a JSON object\n"],
  ['{"iptables": false}', 'daemon.json has "iptables": false, with which this stack cannot run\n'],
  ['{"userns-remap": "default"}', 'daemon.json has "userns-remap": "default", with which this stack cannot run\n'],
])("%s is refused", (theirs, stderr) => {
  expect(merged(theirs)).toEqual({ status: 1, stdout: "", stderr });
});

test("settings that only repeat Docker's defaults are none to refuse", () => {
  expect(merged('{"iptables": true, "userns-remap": ""}').status).toBe(0);
});

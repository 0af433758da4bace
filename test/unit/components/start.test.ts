import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeEach, expect, test } from "@jest/globals";
import { renderStart } from "../../../ops/fast-path/server.ts";

// files/host/start.py itself; a stand-in for Docker's client alone.

const SCRIPT = readFileSync(join(__dirname, "../../../files/host/start.py"), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "vpai-start-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** What `docker inspect` answers, and what a check in the container ends with, call by call. */
function docker({
  states,
  check,
  checks,
  start = 0,
}: {
  states: object[];
  check?: object;
  checks?: number[];
  start?: number;
}) {
  const program = `#!/usr/bin/python3
import json, sys
states, checks = ${JSON.stringify(JSON.stringify(states))}, ${JSON.stringify(checks ?? [])}
verb, path = sys.argv[1], "${scratch}/" + sys.argv[1]
open("${scratch}/asked", "a").write(" ".join(sys.argv[1:]) + "\\n")
try: n = int(open(path).read())
except FileNotFoundError: n = 0
open(path, "w").write(str(n + 1))
pick = lambda all: all[min(n, len(all) - 1)]
if verb == "start": print("no such container", file=sys.stderr); sys.exit(${start})
if verb == "exec": print("refused", file=sys.stderr); sys.exit(pick(checks))
print(json.dumps(pick(json.loads(states))), ${JSON.stringify(check === undefined ? "null" : JSON.stringify(check))})
`;
  writeFileSync(join(scratch, "docker"), program);
  chmodSync(join(scratch, "docker"), 0o755);
}

beforeEach(() => ["asked", "inspect", "exec", "start"].forEach((name) => rmSync(join(scratch, name), { force: true })));

async function run(seconds = 20): Promise<{ wrong: unknown; asked: string[] }> {
  const child = spawn("python3", ["-I", "-"], { env: { ...process.env, PATH: `${scratch}:${process.env["PATH"]}` } });
  child.stdin.end(renderStart(SCRIPT, [{ id: "c1", service: "app", seconds }]));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (err !== "") throw new Error(err);
  const asked = readFileSync(join(scratch, "asked"), "utf8").trim().split("\n");
  return { wrong: JSON.parse(out), asked: asked.filter((line) => !line.startsWith("inspect")) };
}

const running = { Status: "running", Health: { Status: "starting" } };

test("its own health check runs until it passes, before Docker runs it for the first time", async () => {
  docker({ states: [running], check: { Test: ["CMD-SHELL", "test -f up"] }, checks: [1, 1, 0] });
  expect(await run()).toEqual({
    wrong: {},
    asked: ["start c1", ...Array.from({ length: 3 }, () => "exec c1 sh -c test -f up")],
  });
});

test("one that Docker calls healthy is", async () => {
  docker({
    states: [running, { Status: "running", Health: { Status: "healthy" } }],
    check: { Test: ["CMD", "up"] },
    checks: [1],
  });
  expect(await run()).toEqual({ wrong: {}, asked: ["start c1", "exec c1 up"] });
});

test.each<[what: string, fake: Parameters<typeof docker>[0], seconds: number, wrong: object]>([
  [
    "it ends",
    { states: [running, { Status: "exited", ExitCode: 3 }], check: { Test: ["CMD", "up"] }, checks: [1] },
    20,
    { app: "exited, exit code 3" },
  ],
  [
    "it stays unhealthy",
    { states: [running], check: { Test: ["CMD", "up"] }, checks: [1] },
    1,
    { app: "not healthy within 1 s: refused" },
  ],
  ["it has no check", { states: [running] }, 20, { app: "it has no health check" }],
  ["Docker does not start it", { states: [running], start: 1 }, 20, { start: "no such container" }],
])("%s", async (_what, fake, seconds, wrong) => {
  docker(fake);
  expect((await run(seconds)).wrong).toEqual(wrong);
});

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { run } from "../../shared/exec.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { ensureToolchain } from "../../toolchain/toolchain.ts";

const BUILD_MS = 25 * 60_000;

/** A program whose one command waits for an SSH server that takes connections and says nothing, beside a dynamic resource. */
const PROGRAM = (port: number): string => `
import * as pulumi from "@pulumi/pulumi";
import * as command from "@pulumi/command";
import * as random from "@pulumi/random";

const provider = { create: async () => ({ id: "one", outs: {} }) };
class Dynamic extends pulumi.dynamic.Resource {
  constructor(name) { super(provider, name, {}); }
}
new random.RandomPet("pet");
new Dynamic("dynamic");
new command.remote.Command("hangs", {
  connection: { host: "127.0.0.1", port: ${port}, user: "root", password: "x", perDialTimeout: 600, dialErrorLimit: -1 },
  create: "true",
});
`;

/** Processes whose environment holds the text, by command line. */
function processesWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(text)) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim()];
      } catch {
        return []; // has ended meanwhile
      }
    })
    .filter((line) => line !== "");
}

describe("kill -9 of the engine", () => {
  let directory = "";
  let env: Record<string, string> = {};
  let server: Server;
  let engine: ChildProcess | undefined;
  let reached: Promise<void>;

  beforeAll(async () => {
    const toolchain = await ensureToolchain((line) => console.log(line));
    directory = mkdtempSync(join(tmpdir(), "vpai-killed-"));
    let arrived: () => void = () => undefined;
    reached = new Promise((resolve) => (arrived = resolve));
    server = createServer((socket) => socket.on("error", () => undefined).once("data", arrived));
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as { port: number };
    writeFileSync(
      join(directory, "Pulumi.yaml"),
      "name: killed\nruntime:\n  name: nodejs\n  options: {typescript: false}\nmain: index.js\n",
    );
    writeFileSync(join(directory, "package.json"), '{"type": "module"}');
    writeFileSync(join(directory, "index.js"), PROGRAM(port));
    symlinkSync(join(PROJECT_ROOT, "node_modules"), join(directory, "node_modules"));
    mkdirSync(join(directory, "state"));
    env = {
      ...toolchain.env,
      PULUMI_BACKEND_URL: `file://${join(directory, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "x",
      VPAI_TEST_MARK: directory,
    };
    await run("pulumi", ["stack", "init", "killed"], { cwd: directory, env });
  }, BUILD_MS);

  afterAll(() => {
    engine?.kill("SIGKILL");
    server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test("ends its plugins, its language host and the program too", async () => {
    const args = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", "killed"];
    engine = spawn("pulumi", args, {
      cwd: directory,
      env: { ...process.env, ...env },
      stdio: ["ignore", "ignore", "inherit"],
    });
    await reached;
    const running = processesWith(directory).join("\n");
    for (const part of ["pulumi-language-nodejs", "pulumi-resource-command", "pulumi-resource-random"]) {
      expect(running).toContain(part);
    }
    engine.kill("SIGKILL");
    const killed = Date.now();
    let left = processesWith(directory);
    while (left.length > 0 && Date.now() - killed < 5_000) {
      await new Promise((resume) => setTimeout(resume, 20));
      left = processesWith(directory);
    }
    expect(left).toEqual([]);
    console.log(`all of them had ended ${Date.now() - killed} ms after the engine`);
  }, 60_000);
});

import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { program, useScratch } from "../toolchain/fixtures.ts";
import { PROJECT_ROOT } from "../../../shared/paths.ts";

const VERSION = (JSON.parse(readFileSync(join(PROJECT_ROOT, "package.json"), "utf8")) as { version: string }).version;
const MAIN = `
const [verb, value] = process.argv.slice(2);
if (verb === "exit") process.exitCode = Number(value);
if (verb === "cat") process.stdin.pipe(process.stdout);
if (verb === "node") console.log(process.execPath);
if (verb === "wait") {
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => (console.log(signal), process.exit(7)));
  setInterval(() => undefined, 1000);
  console.log("waiting");
}
const typed: string = "types are stripped";
if (verb === "type") console.log(typed);
`;

/** bin/ in a clone of the test's own, with an ops/cli/main.ts that shows what it gets, and an npm that notes its calls. */
describe("bin/vpai.js", () => {
  const scratch = useScratch();
  let clone = "";
  let lock = "";
  const marker = (): string => join(clone, "node_modules", ".vpai-lock");
  const calls = (): string =>
    existsSync(join(scratch.dir, "npm")) ? readFileSync(join(scratch.dir, "npm"), "utf8") : "";

  beforeEach(() => {
    clone = join(scratch.dir, "clone");
    cpSync(join(PROJECT_ROOT, "bin"), join(clone, "bin"), { recursive: true });
    copyFileSync(join(PROJECT_ROOT, "package.json"), join(clone, "package.json"));
    lock = JSON.stringify({ packages: { "": {}, "node_modules/a": { version: "1.0.0", integrity: "x" } } });
    writeFileSync(join(clone, "package-lock.json"), lock);
    mkdirSync(join(clone, "ops", "cli"), { recursive: true });
    writeFileSync(join(clone, "ops", "cli", "main.ts"), MAIN);
    mkdirSync(join(clone, "node_modules"));
    writeFileSync(marker(), createHash("sha256").update(lock).digest("hex"));
    scratch.program("npm", `echo "$@" "$(command -v node)" >> ${join(scratch.dir, "npm")}; mkdir -p node_modules`);
  });

  const arguments_ = (args: string[]): string[] => [join(clone, "bin", "vpai.js"), ...args];
  const vpai = (args: string[], input = "", node = process.execPath): SpawnSyncReturns<string> =>
    spawnSync(node, arguments_(args), { input, encoding: "utf8", env: process.env });

  /** A Node that says it is older than it is. */
  function older(version: string): string {
    const pretend = join(scratch.dir, `pretend-${version}.js`);
    writeFileSync(
      pretend,
      `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`,
    );
    return program(join(scratch.dir, `node-${version}`), `exec ${process.execPath} --require ${pretend} "$@"`);
  }

  /** Puts this Node where the fetched one would be. */
  function cacheNode(real = process.execPath): void {
    const launch = readFileSync(join(PROJECT_ROOT, "bin", "launch.js"), "utf8");
    const version = /NODE_VERSION = "(\S+)"/.exec(launch)?.[1];
    const home = join(scratch.dir, "cache", "node", `${version}-${process.platform}-${process.arch}`);
    program(join(home, "bin", "node"), `exec ${real} "$@"`);
  }

  test("says its version", () => {
    expect(vpai(["--version"]).stdout).toBe(`${VERSION}\n`);
  });

  test("runs the command in this Node, without a warning, with its exit code and input", () => {
    expect(vpai(["type"])).toMatchObject({ stdout: "types are stripped\n", stderr: "", status: 0 });
    expect(vpai(["exit", "3"]).status).toBe(3);
    expect(vpai(["cat"], "typed").stdout).toBe("typed");
    expect(calls()).toBe("");
  });

  test("an older Node hands over to a newer one, with its exit code and input", () => {
    cacheNode();
    const node = older("20.1.0");
    expect(vpai(["exit", "3"], "", node).status).toBe(3);
    expect(vpai(["cat"], "typed", node)).toMatchObject({ stdout: "typed", stderr: "" });
  });

  test("a fetched Node that is no newer is refused: handing over once more would never end", () => {
    cacheNode(older("20.1.0"));
    const { status, stderr } = vpai(["exit", "3"], "", older("20.1.1"));
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/Node: 20\.1\.0 at .*\n.*allowed: Node 22\.18 or newer/),
    ]);
    expect(vpai(["node"]).status).toBe(0);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("an older Node hands %s on", async (signal) => {
    cacheNode();
    const child = spawn(older("20.1.0"), arguments_(["wait"]), {
      env: process.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("waiting");
    child.kill(signal);
    expect((await lines.next()).value).toBe(signal);
    expect(await once(child, "exit")).toEqual([7, null]);
  });

  test("a Node that is too old says what to install", () => {
    expect(vpai(["type"], "", older("14.21.3"))).toMatchObject({
      status: 1,
      stdout: "",
      stderr:
        "node: 14.21.3\n  allowed: 22.18 or newer (16 is enough on Linux, where vpai fetches its own)\n" +
        "  do: install Node.js: https://nodejs.org/en/download\n",
    });
  });

  test("a fetched Node with another checksum is not used", () => {
    scratch.program(
      "npm",
      'for word; do [ "$last" = --pack-destination ] && dir=$word; last=$word; done; echo x > "$dir/node.tgz"',
    );
    const { status, stderr } = vpai(["type"], "", older("20.1.0"));
    expect([status, stderr]).toEqual([1, expect.stringContaining("expected sha512-")]);
    expect(stderr).toContain("not used");
  });

  test("installs the npm packages once for a lock file, with this Node, and says how long it took", () => {
    writeFileSync(marker(), "of another lock file");
    const first = vpai(["type"]);
    expect(first).toMatchObject({ stdout: "types are stripped\n", status: 0 });
    expect(first.stderr).toMatch(/^installing npm packages: \d+\.\d s\n$/);
    expect(vpai(["type"]).stderr).toBe("");
    expect(calls()).toBe(`ci --no-progress ${process.execPath}\n`);
  });

  test("takes the packages that npm has recorded as these", () => {
    writeFileSync(marker(), "");
    writeFileSync(join(clone, "node_modules", ".package-lock.json"), lock);
    expect(vpai(["type"])).toMatchObject({ status: 0, stderr: "" });
    writeFileSync(marker(), "");
    writeFileSync(join(clone, "node_modules", ".package-lock.json"), lock.replace("1.0.0", "1.0.1"));
    expect(vpai(["type"]).stderr).toMatch(/^installing/);
    expect(calls()).toMatch(/^ci \S+ \S+\n$/);
  });

  test("an npm that fails is shown, and nothing runs", () => {
    writeFileSync(marker(), "");
    scratch.program("npm", "echo E404 no such package >&2; exit 1");
    const { status, stdout, stderr } = vpai(["type"]);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("npm ci --no-progress: exit 1\nE404 no such package\n");
  });

  test("the packages' scripts do not run", () => {
    expect(readFileSync(join(PROJECT_ROOT, ".npmrc"), "utf8")).toMatch(/^ignore-scripts=true$/m);
  });
});

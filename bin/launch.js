// The part of bin/vpai.js that needs Node 16. No dependencies: they may not be installed yet.
/* eslint-disable @typescript-eslint/no-require-imports -- CommonJS is what every Node reads */
"use strict";

const { spawn } = require("child_process");
const { createHash } = require("crypto");
const fs = require("fs");
const net = require("net");
const os = require("os");
const path = require("path");
const { pathToFileURL } = require("url");

const ROOT = path.dirname(__dirname);
const NODE_VERSION = "22.23.3";
/** npm packages that hold the official binaries, by platform, with npm's checksum of each. */
const NODE_PACKAGES = {
  "linux-x64": "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
  "linux-arm64": "sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
};

function operatorError(key, found, allowed, fix) {
  const error = new Error(`${key}: ${found}\n  allowed: ${allowed}\n  do: ${fix}`);
  error.operator = true;
  return error;
}

async function main(minimum) {
  if (!serves(process.versions.node, minimum)) {
    // Once is enough: a node that names itself newer than it is would start itself for ever.
    if (process.env.VPAI_HANDED_OVER) {
      const allowed = `Node ${minimum.join(".")} or newer`;
      throw operatorError(
        "Node",
        `${process.versions.node} at ${process.execPath}`,
        allowed,
        `remove ${cacheDir()}/node`,
      );
    }
    const node = await cachedNode(minimum);
    process.exitCode = await handOver(node, [path.join(__dirname, "vpai.js"), ...process.argv.slice(2)]);
    return;
  }
  delete process.env.VPAI_HANDED_OVER;
  await ensurePackages();
  silenceExperiments();
  await import(pathToFileURL(path.join(ROOT, "ops", "cli", "main.ts")).href);
}

function serves(version, minimum) {
  const [major, minor] = version.split(".").map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
}

/** Node says at every start that it strips types; that is known here. */
function silenceExperiments() {
  const warn = process.emitWarning;
  process.emitWarning = function (warning, ...rest) {
    const type = typeof rest[0] === "object" && rest[0] !== null ? rest[0].type : rest[0];
    if (type !== "ExperimentalWarning") warn.call(process, warning, ...rest);
  };
}

// ---- Node -----------------------------------------------------------------------------------------------------------

function cacheDir() {
  if (process.env.VPAI_CACHE) return path.resolve(process.env.VPAI_CACHE);
  return path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "vpai");
}

async function cachedNode(minimum) {
  const platform = `${process.platform}-${process.arch}`;
  const integrity = NODE_PACKAGES[platform];
  if (!integrity) {
    const fix = "install Node.js: https://nodejs.org/en/download";
    throw operatorError("node", `${process.versions.node} on ${platform}`, `${minimum.join(".")} or newer`, fix);
  }
  const home = path.join(cacheDir(), "node", `${NODE_VERSION}-${platform}`);
  const node = path.join(home, "bin", "node");
  if (!fs.existsSync(node)) await step(`fetching Node ${NODE_VERSION}`, () => fetchNode(platform, integrity, home));
  return node;
}

/** Fills a directory of its own, which then takes the name: of two at once the first wins, and both are right. */
async function fetchNode(platform, integrity, home) {
  fs.mkdirSync(path.dirname(home), { recursive: true });
  const making = fs.mkdtempSync(`${home}.making-`);
  try {
    const spec = `node-${platform}@${NODE_VERSION}`;
    await npm(["pack", "--silent", "--ignore-scripts", "--pack-destination", making, spec], making);
    const archive = path.join(making, fs.readdirSync(making).find((name) => name.endsWith(".tgz")) || "none");
    const found = `sha512-${createHash("sha512").update(fs.readFileSync(archive)).digest("base64")}`;
    if (found !== integrity) throw new Error(`${spec} has the checksum ${found}, expected ${integrity}: not used`);
    await capture("tar", ["-xzf", archive, "-C", making, "--strip-components=1", "--no-same-owner"], making);
    fs.unlinkSync(archive);
    const version = (await capture(path.join(making, "bin", "node"), ["--version"], making)).trim();
    if (version !== `v${NODE_VERSION}`) throw new Error(`${spec} says it is ${version}`);
    if (!fs.existsSync(home)) fs.renameSync(making, home);
  } finally {
    fs.rmSync(making, { recursive: true, force: true });
  }
}

/** Runs the same command on another Node. @returns its exit code, as a shell reports it */
function handOver(node, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { stdio: "inherit", env: { ...process.env, VPAI_HANDED_OVER: "1" } });
    const forward = (signal) => child.kill(signal);
    // A terminal sends Ctrl-C to both, and a second one would mean "at once".
    const keep = process.stdin.isTTY ? () => {} : forward;
    process.on("SIGINT", keep);
    process.on("SIGTERM", forward);
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(signal ? 128 + os.constants.signals[signal] : code));
  });
}

// ---- npm packages ---------------------------------------------------------------------------------------------------

const MODULES = path.join(ROOT, "node_modules");
const MARKER = path.join(MODULES, ".vpai-lock");

async function ensurePackages() {
  const lock = fs.readFileSync(path.join(ROOT, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  if (marker() === wanted) return;
  await alone(`npm ci ${ROOT}`, async () => {
    if (marker() === wanted) return;
    if (!installed(JSON.parse(lock))) await step("installing npm packages", () => npm(["ci", "--no-progress"], ROOT));
    fs.writeFileSync(MARKER, wanted);
  });
}

function marker() {
  return fs.existsSync(MARKER) ? fs.readFileSync(MARKER, "utf8") : "";
}

/** Whether npm's own record of node_modules is that of the lock file: so after an `npm install` of a developer's. */
function installed(lock) {
  const record = path.join(MODULES, ".package-lock.json");
  if (!fs.existsSync(record)) return false;
  const present = JSON.parse(fs.readFileSync(record, "utf8")).packages;
  return Object.keys(lock.packages).every((name) => {
    const wanted = lock.packages[name];
    if (name === "") return true;
    if (!present[name]) return wanted.optional === true;
    return present[name].version === wanted.version && present[name].integrity === wanted.integrity;
  });
}

/** Runs work while no other process of this machine does so under the name. See toolchain/lock.ts, which is like it. */
async function alone(name, work) {
  const id = createHash("sha256").update(name).digest("hex").slice(0, 24);
  const address = process.platform === "linux" ? `\0vpai-${id}` : path.join(os.tmpdir(), `vpai-${id}.lock`);
  for (;;) {
    const server = net.createServer();
    const taken = await new Promise((resolve, reject) => {
      server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
      server.listen(address, () => resolve(true));
    });
    if (taken) {
      const callers = new Set();
      server.on("connection", (caller) => callers.add(caller.on("error", () => caller.destroy())));
      try {
        return await work();
      } finally {
        server.close();
        callers.forEach((caller) => caller.destroy());
      }
    }
    await new Promise((resolve) => {
      const call = net.connect(address).resume();
      call.on("error", (error) => {
        if (error.code === "ECONNREFUSED" && process.platform !== "linux") fs.rmSync(address, { force: true });
      });
      call.on("close", resolve);
    });
  }
}

// ---- programs -------------------------------------------------------------------------------------------------------

async function npm(args, cwd) {
  try {
    return await capture("npm", args, cwd);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    throw operatorError(
      "npm",
      "not on PATH",
      "the npm that comes with Node.js",
      "install npm, or Node.js from https://nodejs.org/en/download",
    );
  }
}

/** Runs a program with this Node first on PATH; its output is shown only if it fails. */
function capture(file, args, cwd) {
  const PATH = [path.dirname(process.execPath), process.env.PATH].join(path.delimiter);
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { ...process.env, PATH }, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let output = "";
    child.stdout.on("data", (text) => ((stdout += text), (output += text)));
    child.stderr.on("data", (text) => (output += text));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve(stdout);
      const found = `exit ${code}\n${output.trim().split("\n").slice(-15).join("\n")}`;
      reject(
        operatorError(
          [path.basename(file), ...args].join(" "),
          found,
          "exit 0",
          "look at what it says; npm needs its registry (`npm config get registry`)",
        ),
      );
    });
  });
}

/** One line with the time that a step took; on stderr, since stdout may be read by a program. */
async function step(text, work) {
  const started = Date.now();
  await work();
  console.error(`${text}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

module.exports = { main, serves };

import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ensureDebianFiles } from "../../toolchain/debian.ts";

/** One docker-registry process on a port of 127.0.0.1. */
export interface Backend {
  /** `127.0.0.1:<port>`: plain http, pushes allowed. */
  readonly address: string;
  close(): Promise<void>;
}

export interface BackendOptions {
  /** Directory of the blobs. Several may share one store: blobs are written aside and renamed. */
  readonly store: string;
  /** @default Debian's docker-registry, unpacked in the cache */
  readonly binary?: string | undefined;
  readonly log: (line: string) => void;
  /** More of its configuration, such as `proxy`. */
  readonly more?: object;
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs Debian's docker-registry. It dies with this process, however that ends (setpriv's parent-death signal). */
export async function startBackend(options: BackendOptions): Promise<Backend> {
  const { store, log } = options;
  const binary = options.binary ?? (await registryBinary(log));
  await mkdir(store, { recursive: true });
  const home = await mkdtemp(join(tmpdir(), "vpai-registry-"));
  const port = await freePort();
  const config = join(home, "config.json");
  await writeFile(config, JSON.stringify({ ...configuration(store, port), ...options.more })); // JSON is YAML
  const child = spawn("setpriv", ["--pdeathsig", "TERM", binary, "serve", config], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: home, OTEL_TRACES_EXPORTER: "none", ...options.env },
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      if (said.length < LINES_KEPT) said.push(line);
      // Asking whether something is there is no error.
      if (!/err\.code"?[=:]"(blob|manifest) unknown"/.test(line)) log(line);
    });
  }
  const ended = endOf(child, said);
  const close = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  const address = `127.0.0.1:${port}`;
  try {
    await untilAnswers(address, ended, said);
  } catch (error) {
    await close();
    throw error;
  }
  return { address, close };
}

/** Of what a server says while it starts: its reason not to is in the first lines. */
const LINES_KEPT = 20;

function endOf(child: ChildProcess, said: string[]): Promise<void> {
  return new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (error) => {
      said.push(error.message);
      resolve();
    });
  });
}

function configuration(store: string, port: number): object {
  return {
    version: 0.1,
    log: { level: "error", formatter: "json", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: store }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: "only this machine reaches it" },
  };
}

async function untilAnswers(address: string, ended: Promise<void>, said: readonly string[]): Promise<void> {
  const deadline = Date.now() + 15_000;
  let running = true;
  void ended.then(() => (running = false));
  let seen = "no answer";
  while (running && Date.now() < deadline) {
    try {
      const answer = await fetch(`http://${address}/v2/`);
      await answer.arrayBuffer();
      // 401: it wants a token.
      if (answer.status === 200 || answer.status === 401) return;
      seen = `status ${answer.status}`;
    } catch (error) {
      seen = (error as Error).message;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const reason = said.find((line) => line.startsWith("panic: ")) ?? said.at(-1);
  throw new Error(`docker-registry did not start on ${address}: ${seen}; it says: ${reason ?? "nothing"}`);
}

/** The program alone, out of Debian's package: installing it would start a service on this machine. */
async function registryBinary(log: (line: string) => void): Promise<string> {
  const program = "/usr/bin/docker-registry";
  return join(await ensureDebianFiles("docker-registry", [program], log), program);
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

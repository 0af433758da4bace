import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** One docker-registry process on a port of 127.0.0.1. */
export interface Backend {
  /** `127.0.0.1:<port>`: plain http, pushes allowed. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Runs Debian's docker-registry over the directory `store`. Several may share one store: blobs are written aside
 * and renamed. It dies with this process, however that ends (setpriv's parent-death signal).
 */
export async function startBackend(binary: string, store: string, log: (line: string) => void): Promise<Backend> {
  await mkdir(store, { recursive: true });
  const home = await mkdtemp(join(tmpdir(), "vpai-registry-"));
  const port = await freePort();
  const config = join(home, "config.json");
  await writeFile(config, JSON.stringify(configuration(store, port))); // JSON is YAML
  const child = spawn("setpriv", ["--pdeathsig", "TERM", binary, "serve", config], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: home, OTEL_TRACES_EXPORTER: "none" },
  });
  let last = "";
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      last = line;
      // Asking whether something is there is no error.
      if (!/err\.code="(blob|manifest) unknown"/.test(line)) log(line);
    });
  }
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      last = error.message;
      resolve();
    });
  });
  const address = `127.0.0.1:${port}`;
  let running = true;
  void ended.then(() => (running = false));
  await untilAnswers(
    address,
    () => running,
    () => last,
  );
  return {
    address,
    async close() {
      child.kill("SIGTERM");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

function configuration(store: string, port: number): object {
  return {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: store }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: "only this machine reaches it" },
  };
}

async function untilAnswers(address: string, running: () => boolean, last: () => string): Promise<void> {
  const deadline = Date.now() + 15_000;
  let seen = "no answer";
  while (running() && Date.now() < deadline) {
    try {
      const answer = await fetch(`http://${address}/v2/`);
      await answer.arrayBuffer();
      if (answer.status === 200) return;
      seen = `status ${answer.status}`;
    } catch (error) {
      seen = (error as Error).message;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`docker-registry did not start on ${address}: ${seen}; its last line: ${last() || "none"}`);
}

/** A port nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

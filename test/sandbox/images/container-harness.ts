import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCa } from "../../../sandbox/network/ca.ts";
import { FaultBook } from "../../../sandbox/control/fault-injector.ts";
import { publishImages } from "../../../sandbox/images/publish.ts";
import { pullImages } from "../../../sandbox/images/pull.ts";
import { pulledFolder, PullThroughCaches } from "../../../sandbox/registry/pull-through.ts";
import { startRegistry } from "../../../sandbox/registry/registry.ts";
import { parseImageRef } from "../../../shared/image-ref.ts";
import { Registries } from "../../../shared/registry/client.ts";
import { replacedAddresses } from "../../../shared/registry/upstream.ts";
import { RunError, run } from "../../../shared/exec.ts";
import { cacheDir } from "../../../toolchain/cache.ts";
import { until } from "../../support/until.ts";

export const pins = {
  postgres: `docker.io/library/postgres:18.6-bookworm@sha256:${"0".repeat(64)}`,
  redis: `docker.io/library/redis:8.10.2-alpine@sha256:${"0".repeat(64)}`,
  caddy: `docker.io/library/caddy:2.11.7-alpine@sha256:${"0".repeat(64)}`,
  n8n: `docker.n8n.io/n8nio/n8n:2.42.4@sha256:${"0".repeat(64)}`,
};

/** A registry with the images asked for, a Docker network, and containers that go when the bench is cleared. */
export interface Bench {
  readonly pushAddress: string;
  /** Each pin at the digest it has here. */
  readonly refs: Readonly<Record<string, string>>;
  /** The folder of this bench on the machine, for mounts. */
  readonly home: string;
  /** The image's name for this machine's Docker. */
  image(pin: string): string;
  /** Starts a container; `name` is also its name on the network. Answers its full name. */
  start(name: string, pin: string, options?: readonly string[], command?: readonly string[]): Promise<string>;
  /** Runs a container to its end; answers its exit code and what it wrote. */
  once(
    pin: string,
    options?: readonly string[],
    command?: readonly string[],
  ): Promise<{ code: number; output: string }>;
  exec(container: string, ...command: readonly string[]): Promise<string>;
  address(container: string): Promise<string>;
  /** Writes a file of this mode, owned by that user; answers its path. */
  file(name: string, content: string, owner?: number, mode?: number): Promise<string>;
  clear(): Promise<void>;
}

let benches = 0;

/** Whether the images of the catalogue are the registries' own (`vpai test --images upstream`). */
const UPSTREAM = process.env["VPAI_TEST_IMAGES"] === "upstream";
/** A pin of these tests' own, which no registry has. */
const NO_DIGEST = /@sha256:0{64}$/;

export async function openBench(wanted: readonly string[]): Promise<Bench> {
  const prefix = `vpai-imgtest-${process.pid}-${(benches += 1)}`;
  const home = await mkdtemp(join(tmpdir(), `${prefix}-`));
  const [ca, report] = [await ensureCa(home), () => undefined];
  const store = join(cacheDir(), "registry");
  const registry = await startRegistry({ host: "127.0.0.1", port: 0, ca, store, faults: new FaultBook(), log: report });
  const addresses = replacedAddresses(process.env);
  const caches = new PullThroughCaches({
    directory: pulledFolder(addresses),
    addresses,
    env: process.env,
    log: report,
  });
  const pulled = new Map<string, string>();
  const prepare = async (): Promise<Readonly<Record<string, string>>> => {
    await docker("network", "create", prefix);
    const real = wanted.filter((pin) => UPSTREAM && !NO_DIGEST.test(pin));
    const made = wanted.filter((pin) => !real.includes(pin));
    const refs = await publishImages({ pins: made, pushAddress: registry.pushAddress, store, report });
    if (real.length === 0) return refs;
    const registries = new Registries({ addresses });
    await pullImages({ pins: real, caches, registries, report }).finally(() => registries.close());
    for (const pin of real) pulled.set(pin, (await caches.of(parseImageRef(pin).host)).address);
    return refs;
  };
  const refs = await prepare().catch(async (error: unknown) => {
    // Nobody gets the bench, so nobody clears it: a registry left open keeps jest from ending.
    await caches.close();
    await registry.close();
    throw error;
  });
  const images = new Set<string>();
  const image = (pin: string): string => {
    const ref = refs[pin] ?? pin;
    const name = ref.replace(/^[^/]+/, pulled.get(pin) ?? registry.pushAddress).replace(/:[^:@]+@/, "@");
    images.add(name);
    return name;
  };
  const options = ["--network", prefix, "--label", `vpai-test=${prefix}`];
  return {
    pushAddress: registry.pushAddress,
    refs,
    home,
    image,
    async start(name, pin, more = [], command = []) {
      const full = `${prefix}-${name}`;
      await docker("run", "-d", "--name", full, "--network-alias", name, ...options, ...more, image(pin), ...command);
      return full;
    },
    async once(pin, more = [], command = []) {
      try {
        const { stdout, stderr } = await run("docker", ["run", "--rm", ...options, ...more, image(pin), ...command]);
        return { code: 0, output: stdout + stderr };
      } catch (error) {
        if (!(error instanceof RunError)) throw error;
        return { code: error.exitCode ?? -1, output: error.stdout + error.stderr };
      }
    },
    exec: (container, ...command) => docker("exec", container, ...command),
    address: (container) =>
      docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container),
    async file(name, content, owner = 0, mode = 0o400) {
      const path = join(home, name);
      await writeFile(path, content);
      await run("chown", [`${owner}:${owner}`, path]);
      await run("chmod", [mode.toString(8), path]);
      return path;
    },
    async clear() {
      const left = (await docker("ps", "-aq", "--filter", `label=vpai-test=${prefix}`)).split("\n").filter(Boolean);
      if (left.length > 0) await docker("rm", "-fv", ...left);
      const volumes = (await docker("volume", "ls", "-q", "--filter", `name=${prefix}`)).split("\n").filter(Boolean);
      if (volumes.length > 0) await docker("volume", "rm", ...volumes);
      await docker("network", "rm", prefix);
      if (images.size > 0) await docker("rmi", "-f", ...images);
      await caches.close();
      await registry.close();
      await rm(home, { recursive: true });
    },
  };
}

export async function docker(...args: readonly string[]): Promise<string> {
  return (await run("docker", args)).stdout;
}

/** Both streams of a container's log. */
export async function logs(container: string): Promise<string> {
  const { stdout, stderr } = await run("docker", ["logs", container]);
  return stdout + stderr;
}

/** Waits until a command in the container succeeds; answers its output. A dead container's log is in the failure. */
export function untilExec(container: string, ...command: readonly string[]): Promise<string> {
  return untilExecWithin(25_000, container, ...command);
}

/** The same, for who takes longer. */
export function untilExecWithin(deadlineMs: number, container: string, ...command: readonly string[]): Promise<string> {
  return until(`${container}: ${command.join(" ")}`, deadlineMs, async () => {
    const state = await docker("inspect", "-f", "{{.State.Status}}", container);
    if (state !== "running") throw new Error(`${state}: ${await logs(container)}`);
    return docker("exec", container, ...command);
  });
}

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { buildGo } from "../../toolchain/go.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { until } from "../../test/support/until.ts";
import { type Bench, report, VoidMeasurement } from "./bench.ts";
import { renderComposeFile } from "./compose-file.ts";
import { HOST, look, onHost, OURS } from "./host.ts";

/** A Compose project for what runs on a host. */
export interface Compose {
  readonly version: string;
  /** Removes the stack's containers and networks and has Compose make them; its wall time in milliseconds. */
  converge(): Promise<number>;
  /** One `up` that changes nothing, in milliseconds. Void when it changes anything. */
  noop(): Promise<number>;
  /** Stops a container and has `up --wait` find and start it; that run's wall time in milliseconds. */
  repair(service: string): Promise<number>;
  /** Ends the SSH connection that Docker's socket is reached through. */
  close(): Promise<void>;
}

/** Describes what runs on the host that `sshConfig` (absolute) leads to, and writes the Compose file that would make it. */
export async function makeCompose(sshConfig: string, { folder, signal }: Bench): Promise<Compose> {
  const binaries = await buildGo({
    dir: join(PROJECT_ROOT, "bench/compose"),
    binaries: { compose: "github.com/docker/compose/v2/cmd" },
    env: { CGO_ENABLED: "0" },
    label: "Compose",
    report,
  });
  const ssh = onHost(sshConfig, signal);
  const file = join(folder, "compose.yaml");
  await writeFile(file, renderComposeFile(await look(ssh)), { mode: 0o600 });
  // Compose's own way over SSH has no place for the configuration: its socket comes through one connection instead.
  const socket = join(folder, "docker.sock");
  const forward = execa("ssh", ["-F", sshConfig, "-N", "-L", `${socket}:/var/run/docker.sock`, HOST], {
    cwd: PROJECT_ROOT,
    stdin: "ignore",
    reject: false,
  });
  const compose = async (...args: readonly string[]): Promise<{ ms: number; all: string }> => {
    const from = performance.now();
    const { exitCode, all } = await execa(join(binaries, "compose"), ["-f", file, "-p", "bench", ...args], {
      env: { DOCKER_HOST: `unix://${socket}` },
      stdin: "ignore",
      all: true,
      reject: false,
      cancelSignal: signal,
    });
    signal.throwIfAborted();
    if (exitCode !== 0) throw new VoidMeasurement(`compose ${args.join(" ")} ended with ${exitCode}:\n${all}`);
    return { ms: performance.now() - from, all };
  };
  const { all: version } = await until("Compose over the connection", 20_000, async () => {
    await compose("ls");
    return compose("version", "--short");
  });
  return {
    version,
    converge: async () => {
      await ssh(`${OURS} | xargs docker rm -f > /dev/null && docker network prune -f > /dev/null`);
      return (await compose("up", "--detach", "--wait")).ms;
    },
    noop: async () => {
      const { ms, all } = await compose("up", "--detach");
      if (/Created|Started|Recreated/.test(all)) throw new VoidMeasurement(`Compose's run was no no-op:\n${all}`);
      return ms;
    },
    repair: async (service) => {
      await ssh(`docker stop ${service}`);
      return (await compose("up", "--detach", "--wait")).ms;
    },
    close: async () => {
      forward.kill();
      await forward;
    },
  };
}

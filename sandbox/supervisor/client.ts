import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { codeHash } from "./code-hash.ts";
import { call, callStream } from "../control/control-client.ts";
import type { FaultSpec } from "../control/fault-injector.ts";
import { explicitPort } from "../network/forwarder.ts";
import { OperatorError } from "../../shared/errors.ts";
import { cacheDir } from "../../toolchain/cache.ts";
import { ensureDebianPackages, thisMachine } from "../../toolchain/debian.ts";
import { askDocker, dockerFault, dockerSocket, ensureDocker } from "../../toolchain/docker.ts";
import type { ImageSource } from "../image-sources.ts";
import { instanceOf, readWorldFile, type Instance, type WorldFile } from "./instance.ts";
import type { WorldInventory } from "./inventory.ts";
import { expectSubnet } from "../network/network.ts";
import { launchSupervisor, stopSupervisor } from "./launch.ts";
import { STORAGE_NAME } from "../storage/storage.ts";
import { tearDown } from "./teardown.ts";
import { hetznerEndpoint, worldEnv } from "./world-env.ts";

export interface OpenOptions {
  /** Is told each step that takes time. */
  readonly report: (line: string) => void;
  /** Where VPAI_SANDBOX_SUBNET and VPAI_SANDBOX_PORT are read. Default this process's. */
  readonly env?: NodeJS.ProcessEnv;
}

/** One sandbox that is up. */
export interface World {
  readonly name: string;
  /** Work folder, absolute. */
  readonly dir: string;
  /** A /24; servers get its addresses from .10. */
  readonly subnet: string;
  readonly gateway: string;
  readonly hetzner: { readonly endpoint: string; readonly token: string };
  /** The keys that the simulated model providers take. */
  readonly llm: { readonly anthropicKey: string; readonly openaiKey: string };
  /** The simulated Object Storage, which serves once it has been opened, and the keys that it takes. */
  readonly storage: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Certificate of the authority behind the names of the outside world at the gateway. */
  readonly caFile: string;
  /** Port on 127.0.0.1 that leads to the newest server's 443. */
  readonly port: number;
  /** Where its images have come from; undefined before it has had any. */
  readonly images: ImageSource | undefined;
  /**
   * Has an image served for each `repo:tag@sha256:…`: one that is made here, or the registry's own. Answers with the same
   * repo:tag and the digest that it has here.
   */
  publish(pins: readonly string[], from: ImageSource, report?: (line: string) => void): Promise<Record<string, string>>;
  /** Has the Object Storage serve; makes its image and its container if there is none. */
  openStorage(report?: (line: string) => void): Promise<void>;
  inject(fault: FaultSpec): Promise<void>;
  clearFaults(): Promise<void>;
  /** The faults in force, as they were injected; `times` is what is left of it. */
  faults(): Promise<readonly FaultSpec[]>;
  /** Cuts a server's power; `server` is its name at the simulated Hetzner. */
  powerCut(server: string): Promise<void>;
  /** What the sandbox holds on this machine, and what exists at its simulated Hetzner (`cloud`). */
  inventory(): Promise<WorldInventory>;
  /** What a process needs in its environment to work on this sandbox instead of the real world. */
  env(): Record<string, string>;
}

/** The sandbox called `name`, started if it does not run. */
export async function openWorld(name: string, options: OpenOptions): Promise<World> {
  const instance = instanceOf(name);
  const env = options.env ?? process.env;
  const port = explicitPort(env["VPAI_SANDBOX_PORT"]);
  const running = await findRunning(instance, options.report);
  const file = running ?? (await start(instance, env, options.report));
  expectSubnet(env["VPAI_SANDBOX_SUBNET"], file.subnet);
  expectPort(port, file.port);
  await mkdir(join(instance.dir, "state"), { recursive: true });
  return worldOf(instance, file, options);
}

/** Removes the sandbox and everything it made, and checks that nothing is left. Works without a supervisor too. */
export async function closeWorld(name: string, report: (line: string) => void = () => undefined): Promise<void> {
  const instance = instanceOf(name);
  const socket = dockerSocket(process.env);
  const answer = await askDocker(socket);
  if (answer.kind !== "ready") throw dockerFault(socket, answer, process.env, (await thisMachine()).debian);
  // Loaded here, where it is needed: it costs a tenth of a second.
  const { default: Docker } = await import("dockerode");
  await tearDown(new Docker({ socketPath: socket }), instance, report);
}

/** What the sandbox needs of this machine is had here, not in the supervisor: a daemon started there would be its child. */
async function start(instance: Instance, env: NodeJS.ProcessEnv, report: (line: string) => void): Promise<WorldFile> {
  const { root } = await thisMachine();
  if (!root) {
    throw new OperatorError({
      key: "user",
      found: "not root",
      allowed: "root on Linux: the sandbox makes servers' images, networks and firewall rules",
      fix: "run it as root, in a virtual machine or a container if you prefer",
    });
  }
  await ensureDocker(report, env);
  // The keyring: Debian has it, its children need it to believe a Debian mirror.
  const packages = ["debian-archive-keyring", "iptables", "iproute2", "mmdebstrap"];
  await ensureDebianPackages(packages, "the sandbox's servers", report);
  return launchSupervisor(instance, env, report);
}

/** The world file of a supervisor that answers and runs this code. */
async function findRunning(instance: Instance, report: (line: string) => void): Promise<WorldFile | undefined> {
  const file = await readWorldFile(instance);
  if (file === undefined) return undefined;
  const health = await call<{ code: string }>(file, "GET", "/health", undefined, 2_000).catch(() => undefined);
  if (health === undefined) return undefined;
  if (health.code === (await codeHash())) return file;
  report("the sandbox runs older code: starting its supervisor anew");
  await stopSupervisor(instance);
  return undefined;
}

function expectPort(explicit: number | undefined, actual: number): void {
  if (explicit === undefined || explicit === actual) return;
  throw new OperatorError({
    key: "VPAI_SANDBOX_PORT",
    found: `${explicit}, but this sandbox is up on ${actual}`,
    allowed: String(actual),
    fix: "unset it, or run `npm run sandbox:down` first",
  });
}

function worldOf(instance: Instance, file: WorldFile, options: OpenOptions): World {
  const hetzner = { endpoint: hetznerEndpoint(file), token: file.hetznerToken };
  return {
    name: instance.name,
    dir: instance.dir,
    subnet: file.subnet,
    gateway: file.gateway,
    hetzner,
    llm: { anthropicKey: file.anthropicKey, openaiKey: file.openaiKey },
    storage: {
      endpoint: `https://${STORAGE_NAME}`,
      accessKeyId: file.backupAccessKeyId,
      secretAccessKey: file.backupSecretAccessKey,
    },
    caFile: join(cacheDir(), "ca", "ca.crt"),
    port: file.port,
    images: file.images,
    publish: (pins, from, report = options.report) => callStream(file, "/publish", { pins, from }, report),
    openStorage: async (report = options.report) => void (await callStream(file, "/storage", undefined, report)),
    inject: async (fault) => void (await call(file, "POST", "/faults", fault)),
    faults: () => call(file, "GET", "/faults"),
    clearFaults: async () => void (await call(file, "DELETE", "/faults")),
    powerCut: async (server) => void (await call(file, "POST", "/power-cut", { server }, 60_000)),
    // Docker answers late while it deletes another sandbox's volumes.
    inventory: () => call(file, "GET", "/inventory", undefined, 60_000),
    env: () => worldEnv(instance, file),
  };
}

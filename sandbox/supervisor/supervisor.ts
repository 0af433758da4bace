import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import pino, { type Logger } from "pino";
import { cacheDir } from "../../toolchain/cache.ts";
import { dockerSocket } from "../../toolchain/docker.ts";
import { aptHosts, startAptProxy } from "../network/apt-proxy.ts";
import { ensureCa } from "../network/ca.ts";
import { codeHash } from "./code-hash.ts";
import { errorLine, type StartMessage } from "../control/control-lines.ts";
import { startControl } from "../control/control.ts";
import { startDns } from "../network/dns.ts";
import { FaultBook } from "../control/fault-injector.ts";
import { explicitPort, startForwarder } from "../network/forwarder.ts";
import { startFront } from "../network/tls-terminator.ts";
import { startHetzner } from "../hetzner/server.ts";
import { openImages } from "./images.ts";
import { instanceOf, readWorldFile, writeWorldFile, type Instance, type WorldFile } from "./instance.ts";
import { removeHoldings, takeInventory } from "./inventory.ts";
import { llmNames, newLlmKeys, openLlm } from "../llm/llm.ts";
import { ensureNetwork } from "../network/network.ts";
import { claimPidFile, releasePidFile } from "./pidfile.ts";
import { registryNames } from "../registry/registry.ts";
import { newStorageKeys, openStorage, STORAGE_NAME } from "../storage/storage.ts";
import { DockerMachines } from "../vps/docker-machines.ts";
import { worldRuleset } from "../vps/firewall.ts";
import { ensureVpsImage } from "../vps/image.ts";
import { applyRuleset } from "../vps/iptables.ts";

interface Closing {
  readonly name: string;
  close(): Promise<void>;
}

/** Everything of one sandbox that is a running program: started in order, closed in reverse. */
class Supervisor {
  readonly #instance: Instance;
  readonly #log: Logger;
  readonly #docker = new Docker({ socketPath: dockerSocket(process.env) });
  readonly #faults = new FaultBook();
  readonly #parts: Closing[] = [];
  #isNew = false;

  constructor(instance: Instance, log: Logger) {
    this.#instance = instance;
    this.#log = log;
  }

  async start(env: NodeJS.ProcessEnv): Promise<void> {
    const instance = this.#instance;
    const last = await readWorldFile(instance);
    // What an operator may have to put right comes before anything is made.
    let target: () => Promise<string | undefined> = () => Promise.resolve(undefined);
    const explicit = explicitPort(env["VPAI_SANDBOX_PORT"]);
    const forwarder = await this.#part("forwarder", () =>
      startForwarder({ explicitPort: explicit, lastPort: last?.port, target: () => target() }),
    );
    this.#isNew = last === undefined;
    const network = await ensureNetwork(this.#docker, instance, {
      explicit: env["VPAI_SANDBOX_SUBNET"],
      last: last?.subnet,
    });
    await applyRuleset(worldRuleset(instance.chain, instance.bridge, network.gateway));

    const ca = await ensureCa(cacheDir());
    const debianImage = await ensureVpsImage(this.#docker, ca, (line) => void tell(line));
    const host = network.gateway;
    const machines = new DockerMachines({
      docker: this.#docker,
      instance,
      world: network,
      debianImage,
      log: this.#log,
    });
    await machines.restoreFirewalls();
    target = () => machines.newestAddress();
    const world = await this.#remember(last, { ...network, port: forwarder.port });
    const log = (part: string): Logger => this.#log.child({ part });
    const line = (part: string) => (text: string) => this.#log.info({ part }, text);
    await this.#part("dns", () => startDns(host, new Set([...registryNames, ...llmNames, STORAGE_NAME, ...aptHosts])));
    await this.#part("apt", () => startAptProxy({ host, cache: join(cacheDir(), "apt"), log: log("apt") }));
    const images = await this.#part("registry", () =>
      openImages({
        env,
        faults: this.#faults,
        source: world.images,
        remember: (source) => writeWorldFile(instance, { ...world, images: source }),
        log: line("registry"),
      }),
    );
    const llm = await this.#part("llm", () => openLlm({ keys: world, faults: this.#faults, log: line("llm") }));
    const storage = await openStorage({
      docker: this.#docker,
      instance,
      subnet: world.subnet,
      keys: world,
      log: line("storage"),
    });
    await this.#part("front", () => startFront({ host, ca, sites: [images.site, ...llm.sites, storage.site] }));
    const hetzner = await this.#part("hetzner", () =>
      startHetzner({
        host,
        port: 8080,
        token: world.hetznerToken,
        subnet: world.subnet,
        machines,
        faults: this.#faults,
        stateFile: join(instance.dir, "hetzner.json"),
        log: line("hetzner"),
      }),
    );
    const code = await codeHash();
    await this.#part("control", () =>
      startControl({
        host,
        token: world.token,
        log: log("control"),
        faults: this.#faults,
        health: {
          ok: true,
          instance: instance.name,
          pid: process.pid,
          code,
          parts: this.#parts.map(({ name }) => name),
        },
        world: { ...network, port: world.port, hetzner: hetzner.endpoint, debianImage },
        publish: (request, report) => images.publish(request, report),
        openStorage: (report) => storage.open(report),
        powerCut: (server) => hetzner.powerCut(server),
        inventory: async () => ({ ...(await takeInventory(this.#docker, instance)), cloud: hetzner.inventory() }),
        shutdown: () => process.kill(process.pid, "SIGTERM"),
      }),
    );
  }

  /** Stops the programs; containers, network and rules stay for the next supervisor. */
  async close(): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) {
      await part.close().catch((error: unknown) => this.#log.error({ err: error, part: part.name }, "did not close"));
    }
  }

  /** Takes back what a first start made that came to nothing. */
  async undo(): Promise<void> {
    if (!this.#isNew) return;
    await removeHoldings(this.#docker, this.#instance);
    await rm(join(this.#instance.dir, "world.json"), { force: true });
  }

  async #part<T extends { close(): Promise<void> }>(name: string, start: () => Promise<T>): Promise<T> {
    const part = await start();
    this.#parts.push({ name, close: () => part.close() });
    this.#log.info({ part: name }, "started");
    return part;
  }

  async #remember(
    last: WorldFile | undefined,
    now: Pick<WorldFile, "subnet" | "gateway" | "port">,
  ): Promise<WorldFile> {
    const keys = { ...newLlmKeys(), ...newStorageKeys() };
    const world = {
      instance: this.#instance.name,
      token: last?.token ?? randomBytes(32).toString("hex"),
      // As long as a real one, so that nothing that checks the form is surprised.
      hetznerToken: last?.hetznerToken ?? randomBytes(32).toString("hex"),
      anthropicKey: last?.anthropicKey || keys.anthropicKey,
      openaiKey: last?.openaiKey || keys.openaiKey,
      backupAccessKeyId: last?.backupAccessKeyId || keys.backupAccessKeyId,
      backupSecretAccessKey: last?.backupSecretAccessKey || keys.backupSecretAccessKey,
      created: last?.created ?? new Date().toISOString(),
      ...(last?.images && { images: last.images }),
      ...now,
    };
    await writeWorldFile(this.#instance, world);
    return world;
  }
}

/** Tells the process that waits, if it still does; resolves once that is on its way. */
function tell(message: StartMessage | string): Promise<void> {
  const full: StartMessage = typeof message === "string" ? { kind: "report", line: message } : message;
  return new Promise((resolve) => {
    if (process.connected) process.send?.(full, undefined, undefined, () => resolve());
    else resolve();
  });
}

async function main(): Promise<void> {
  const instance = instanceOf(process.argv[2] ?? "");
  if (!(await claimPidFile(instance))) {
    await tell({ kind: "running" });
    process.disconnect?.();
    return;
  }
  const log = pino({ base: { pid: process.pid } }, pino.destination({ dest: 1, sync: true }));
  const supervisor = new Supervisor(instance, log);
  const end = async (reason: string, status: number): Promise<never> => {
    log.info({ reason }, "closing");
    await supervisor.close();
    await releasePidFile(instance);
    log.info("closed");
    process.exit(status);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => void end(signal, 0));
  try {
    await supervisor.start(process.env);
  } catch (error) {
    log.error({ err: error }, "could not start");
    await supervisor.close();
    await supervisor.undo().catch((failed: unknown) => log.error({ err: failed }, "could not undo"));
    await tell(errorLine(error));
    await end("could not start", 1);
  }
  log.info("ready");
  await tell({ kind: "ready" });
  process.disconnect?.();
}

await main();

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import { run } from "../../shared/exec.ts";
import { LABEL, type Instance, instanceOf } from "../../sandbox/supervisor/instance.ts";
import { stopSupervisor } from "../../sandbox/supervisor/launch.ts";
import { removeChains } from "../../sandbox/vps/iptables.ts";
import { dockerSocket } from "../../toolchain/docker.ts";
import type { Checkout } from "./checkout.ts";
import { until } from "./until.ts";

/** A server as its container was made, and the image that holds its disk. */
interface SavedMachine {
  readonly name: string;
  readonly image: string;
  /** The volume with the data of the server's own Docker. */
  readonly dockerVolume: string;
  readonly options: Docker.ContainerCreateOptions;
}

const INSTANCE = "sandbox";
const UNPAUSE = "test ! -S /run/docker.sock || docker ps --quiet --filter status=paused | xargs -r docker unpause";
/** What belongs to running processes, and is made again by the next ones. */
const NOT_KEPT = /^(supervisor\.(pid|log)|tmp|[0-9a-f]{10})$/;

/**
 * Snapshots of a checkout's sandbox: its servers with their disks, its simulated Hetzner, the stack's state and work
 * folder. A disk is committed as an image, so that going back to it costs nothing. The data of the server's Docker cannot
 * be such a layer (overlayfs takes no overlayfs above it), so it is copied, except for the image layers in it: those are
 * never written to, and are shared by hard links. Going back takes as long as what was changed is large.
 */
export class Snapshots {
  readonly #docker = new Docker({ socketPath: dockerSocket(process.env) });
  readonly #instance: Instance;
  readonly #dir: string;

  constructor(checkout: Checkout) {
    this.#instance = instanceOf(INSTANCE, checkout.dir);
    this.#dir = join(checkout.dir, ".vpai/snapshots");
  }

  /** Where a snapshot keeps a file of the sandbox's work folder. */
  file(name: string, path: string): string {
    return join(this.#dir, name, path);
  }

  async take(name: string): Promise<void> {
    const machines: SavedMachine[] = [];
    for (const { Id } of await this.#servers()) machines.push(await this.#saveMachine(name, Id));
    await copyWithout(this.#instance.dir, join(this.#dir, name), NOT_KEPT);
    // Last: a snapshot without it is none.
    await writeFile(join(this.#dir, `${name}.json`), JSON.stringify(machines), { mode: 0o600 });
  }

  /** Puts everything back as it was. The sandbox's supervisor is stopped, and the servers boot. */
  async restore(name: string): Promise<void> {
    const machines = JSON.parse(await readFile(join(this.#dir, `${name}.json`), "utf8")) as SavedMachine[];
    await stopSupervisor(this.#instance);
    await this.#removeServers();
    await removeChains(`${this.#instance.chain}-`);
    await rm(this.#instance.dir, { recursive: true });
    await copyWithout(join(this.#dir, name), this.#instance.dir, NOT_KEPT);
    for (const machine of machines) await this.#restoreMachine(name, machine);
    await this.#removeOtherVolumes(machines.map(({ dockerVolume }) => dockerVolume));
  }

  /**
   * Docker gives a killed container ten seconds to end; one that is a busy server may need more, and one in which a test
   * left a paused container never ends.
   */
  async #removeServers(): Promise<void> {
    await until("servers removed", 120_000, async () => {
      const servers = await this.#servers();
      for (const { Id, State } of servers) {
        if (State === "running") await run("docker", ["exec", Id, "sh", "-c", UNPAUSE]);
        await this.#docker.getContainer(Id).remove({ force: true });
      }
      return servers.length === 0 ? true : undefined;
    });
  }

  #servers(): Promise<Docker.ContainerInfo[]> {
    const filters = { label: [`${LABEL}=${this.#instance.label}`, "vpai.server"] };
    return this.#docker.listContainers({ all: true, filters });
  }

  async #saveMachine(snapshot: string, id: string): Promise<SavedMachine> {
    const container = this.#docker.getContainer(id);
    const { Name, Config, HostConfig, NetworkSettings, State } = await container.inspect();
    const name = Name.slice(1);
    const dockerVolume = `${name}-docker`;
    const [repo, tag] = [`${this.#instance.prefix}/rewind`, `${snapshot}-${name}`];
    const store = await this.#volume(`${name}-rewind-${snapshot}`);
    // Disk, Docker's data and what they say of each other must be of one moment.
    if (State.Running) await container.pause();
    try {
      await container.commit({ repo, tag, changes: `LABEL ${LABEL}=${this.#instance.label}` });
      await copyDockerData(await this.#volume(dockerVolume), store);
    } finally {
      if (State.Running) await container.unpause();
    }
    const endpoints = Object.entries(NetworkSettings.Networks).map(([network, { IPAMConfig }]) => [
      network,
      { IPAMConfig },
    ]);
    const options = {
      ...Config,
      name,
      Image: `${repo}:${tag}`,
      HostConfig,
      NetworkingConfig: { EndpointsConfig: Object.fromEntries(endpoints) as Docker.EndpointsConfig },
    };
    return { name, image: `${repo}:${tag}`, dockerVolume, options };
  }

  async #restoreMachine(snapshot: string, { name, dockerVolume, options }: SavedMachine): Promise<void> {
    const store = await this.#volume(`${name}-rewind-${snapshot}`);
    await copyDockerData(store, await this.#volume(dockerVolume));
    await (await this.#docker.createContainer(options)).start();
  }

  /** Removes the data of servers that were made after the snapshot. */
  async #removeOtherVolumes(kept: readonly string[]): Promise<void> {
    const { Volumes = [] } = await this.#docker.listVolumes({
      filters: { label: [`${LABEL}=${this.#instance.label}`] },
    });
    const others = Volumes.filter(({ Name }) => /-server-\d+-docker$/.test(Name) && !kept.includes(Name));
    for (const { Name } of others) await this.#docker.getVolume(Name).remove();
  }

  /** Its folder on this machine; makes it unless it exists. */
  async #volume(name: string): Promise<string> {
    await this.#docker.createVolume({ Name: name, Labels: { [LABEL]: this.#instance.label } });
    return (await this.#docker.getVolume(name).inspect()).Mountpoint;
  }
}

async function copyWithout(from: string, to: string, not: RegExp): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of (await readdir(from)).filter((each) => !not.test(each))) {
    await cp(join(from, name), join(to, name), {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => !/\/ssh\/[0-9a-f]{10}$/.test(path),
    });
  }
}

/** Makes `to` equal to `from`: two roots of a Docker that does not run, with overlay2 as its storage driver. */
async function copyDockerData(from: string, to: string): Promise<void> {
  const [wanted, found] = await Promise.all([imageLayers(from), imageLayers(to)]);
  const kept = wanted.filter((layer) => found.includes(layer));
  const [storeFrom, storeTo] = [join(from, "overlay2"), join(to, "overlay2")];
  await mkdir(storeTo, { recursive: true, mode: 0o710 });
  await inFolder("rm", ["-rf"], to, without(await readdir(to), ["overlay2"]));
  await inFolder("rm", ["-rf"], storeTo, without(await readdir(storeTo), kept));
  await inFolder("cp", ["-a", "-t", to], from, without(await readdir(from), ["overlay2"]));
  await inFolder("cp", ["-a", "-t", storeTo], storeFrom, without(await entries(storeFrom), wanted));
  await inFolder("cp", ["-al", "-t", storeTo], storeFrom, without(wanted, kept));
}

/** Layers of images: all but those that containers write to, which Docker notes beside each container. */
async function imageLayers(root: string): Promise<string[]> {
  const mounts = join(root, "image/overlay2/layerdb/mounts");
  const written = await Promise.all(
    (await entries(mounts)).flatMap((container) =>
      ["mount-id", "init-id"].map((file) => readFile(join(mounts, container, file), "utf8")),
    ),
  );
  return without(await entries(join(root, "overlay2")), ["l", ...written]);
}

const without = (names: readonly string[], others: readonly string[]): string[] =>
  names.filter((name) => !others.includes(name));

/** Of a folder that may not exist: a server on which Docker has not run yet. */
const entries = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });

async function inFolder(command: string, flags: string[], cwd: string, names: readonly string[]): Promise<void> {
  if (names.length > 0) await run(command, [...flags, "--", ...names], { cwd });
}

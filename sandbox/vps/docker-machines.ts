import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type Docker from "dockerode";
import type { Logger } from "pino";
import { LABEL, type Instance, type WorldFile } from "../supervisor/instance.ts";
import type { FirewallRule, Machines, MachineSpec } from "../hetzner/state/machines.ts";
import { containerName, containerOptions, snapshotTag, snapshotVolume, volumeName } from "./container.ts";
import { serverRuleset } from "./firewall.ts";
import { hasImage } from "../debian-image.ts";
import { applyRuleset, removeChains } from "./iptables.ts";
import { writeSeed } from "./seed.ts";

/** How long an orderly shutdown may take before the power goes, as the real one's guests are given. */
const SHUTDOWN_SECONDS = 30;

export interface DockerMachinesOptions {
  readonly docker: Docker;
  readonly instance: Instance;
  readonly world: Pick<WorldFile, "gateway">;
  /** Docker image of `debian-12`; other image names are snapshots. */
  readonly debianImage: string;
  readonly log: Logger;
}

/** The servers of one sandbox as systemd containers of the local Docker. */
export class DockerMachines implements Machines {
  readonly #options: DockerMachinesOptions;

  constructor(options: DockerMachinesOptions) {
    this.#options = options;
  }

  async create(spec: MachineSpec): Promise<void> {
    const { docker, instance, world, log } = this.#options;
    // What an interrupted create left behind.
    await this.remove(spec.id);
    try {
      await this.#makeVolume(volumeName(instance, spec.id));
      const image = await this.#image(spec);
      const seed = await writeSeed(this.#dir(spec.id), spec);
      const container = await docker.createContainer(containerOptions(instance, spec, image, seed, world.gateway));
      if (spec.firewall) await this.#guard(spec.id, spec.ipv4, spec.firewall);
      await container.start();
    } catch (error) {
      await this.remove(spec.id);
      throw error;
    }
    log.info({ id: spec.id, name: spec.name, ipv4: spec.ipv4 }, "machine created");
  }

  async start(id: number): Promise<void> {
    await this.#container(id).start().catch(ignore(304));
  }

  async shutdown(id: number): Promise<void> {
    await this.#container(id).stop({ t: SHUTDOWN_SECONDS }).catch(ignore(304));
  }

  async powerOff(id: number): Promise<void> {
    await this.#container(id).kill().catch(ignore(409));
  }

  async reboot(id: number): Promise<void> {
    await this.#container(id).restart({ t: SHUTDOWN_SECONDS });
  }

  async setRootPassword(id: number, password: string): Promise<void> {
    const exec = await this.#container(id).exec({
      Cmd: ["chpasswd"],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true });
    stream.resume();
    stream.end(`root:${password}\n`);
    await finished(stream);
    const { ExitCode } = await exec.inspect();
    if (ExitCode !== 0) throw new Error(`setting root's password ended with ${ExitCode}`);
  }

  async remove(id: number): Promise<void> {
    const { docker, instance } = this.#options;
    await this.#container(id).remove({ force: true, v: true }).catch(ignore(404));
    await docker.getVolume(volumeName(instance, id)).remove().catch(ignore(404));
    // The image of a snapshot that was deleted before this server.
    await docker.pruneImages({ filters: { dangling: ["true"], label: [`${LABEL}=${instance.label}`] } });
    await removeChains(`${instance.chain}-${id}-`);
    await rm(this.#dir(id), { recursive: true, force: true });
  }

  async setFirewall(id: number, rules: readonly FirewallRule[] | undefined): Promise<void> {
    if (rules !== undefined) return this.#guard(id, await this.#address(id), rules);
    await rm(join(this.#dir(id), "firewall.json"), { force: true });
    await removeChains(`${this.#options.instance.chain}-${id}-`);
  }

  async snapshot(id: number, snapshot: string): Promise<void> {
    const { docker, instance } = this.#options;
    const running = (await this.#container(id).inspect()).State.Running;
    await this.#makeVolume(snapshotVolume(instance, snapshot));
    // The disk and Docker's data must be of one moment.
    if (running) await this.#container(id).pause();
    try {
      const [repo, tag] = snapshotTag(instance, snapshot).split(":");
      await this.#container(id).commit({ repo, tag, changes: `LABEL ${LABEL}=${instance.label}` });
      await this.#copyVolume(volumeName(instance, id), snapshotVolume(instance, snapshot));
    } catch (error) {
      await docker.getVolume(snapshotVolume(instance, snapshot)).remove().catch(ignore(404));
      throw error;
    } finally {
      if (running) await this.#container(id).unpause();
    }
  }

  async removeSnapshot(snapshot: string): Promise<void> {
    const { docker, instance } = this.#options;
    // By force: a server that was made from it keeps its disk.
    await docker.getImage(snapshotTag(instance, snapshot)).remove({ force: true }).catch(ignore(404));
    await docker.getVolume(snapshotVolume(instance, snapshot)).remove().catch(ignore(404));
  }

  /** Puts the firewalls back that a restart of the outer machine took away. */
  async restoreFirewalls(): Promise<void> {
    const machines = join(this.#options.instance.dir, "machines");
    for (const id of await readdir(machines).catch(ifAbsent([] as string[]))) {
      const text = await readFile(join(machines, id, "firewall.json"), "utf8").catch(ifAbsent(undefined));
      if (text !== undefined) await this.setFirewall(Number(id), JSON.parse(text) as FirewallRule[]);
    }
  }

  /** The address of the newest server that there is; undefined when there is none. */
  async newestAddress(): Promise<string | undefined> {
    const { docker, instance } = this.#options;
    const filters = { label: [`${LABEL}=${instance.label}`, "vpai.server"] };
    const containers = await docker.listContainers({ all: true, filters });
    const newest = containers.sort((a, b) => Number(b.Labels["vpai.server"]) - Number(a.Labels["vpai.server"]))[0];
    return newest?.NetworkSettings.Networks[instance.prefix]?.IPAMConfig?.IPv4Address;
  }

  async #guard(id: number, address: string, rules: readonly FirewallRule[]): Promise<void> {
    const file = join(this.#dir(id), "firewall.json");
    await mkdir(this.#dir(id), { recursive: true, mode: 0o700 });
    await writeFile(`${file}.new`, JSON.stringify(rules));
    await rename(`${file}.new`, file);
    await applyRuleset(serverRuleset(this.#options.instance.chain, id, address, rules));
  }

  #dir(id: number): string {
    return join(this.#options.instance.dir, "machines", String(id));
  }

  #container(id: number): Docker.Container {
    return this.#options.docker.getContainer(containerName(this.#options.instance, id));
  }

  async #address(id: number): Promise<string> {
    const { instance } = this.#options;
    const networks = (await this.#container(id).inspect()).NetworkSettings.Networks;
    const address = networks[instance.prefix]?.IPAMConfig?.IPv4Address;
    if (address === undefined) throw new Error(`${containerName(instance, id)} has no address in ${instance.prefix}`);
    return address;
  }

  async #makeVolume(name: string): Promise<void> {
    const { docker, instance } = this.#options;
    await docker.createVolume({ Name: name, Labels: { [LABEL]: instance.label } });
  }

  async #image(spec: MachineSpec): Promise<string> {
    const { docker, instance, debianImage } = this.#options;
    if (spec.image === "debian-12") return debianImage;
    if (!(await hasImage(docker, snapshotTag(instance, spec.image)))) {
      throw new Error(`the sandbox has no image ${spec.image}: debian-12 and its snapshots are all`);
    }
    await this.#copyVolume(snapshotVolume(instance, spec.image), volumeName(instance, spec.id));
    return snapshotTag(instance, spec.image);
  }

  async #copyVolume(from: string, to: string): Promise<void> {
    const { docker, instance, debianImage } = this.#options;
    const container = await docker.createContainer({
      Image: debianImage,
      Cmd: ["cp", "-a", "/from/.", "/to/"],
      Labels: { [LABEL]: instance.label },
      HostConfig: { Binds: [`${from}:/from:ro`, `${to}:/to`], NetworkMode: "none" },
    });
    try {
      await container.start();
      const { StatusCode } = (await container.wait()) as { StatusCode: number };
      if (StatusCode !== 0) throw new Error(`copying ${from} to ${to} ended with ${StatusCode}`);
    } finally {
      await container.remove({ force: true });
    }
  }
}

/** Lets one of Docker's status codes pass: what was asked for is the case already. */
function ignore(status: number): (error: unknown) => void {
  return (error) => {
    if ((error as { statusCode?: number }).statusCode !== status) throw error;
  };
}

function ifAbsent<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== "ENOENT") throw error;
    return value;
  };
}

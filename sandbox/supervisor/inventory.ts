import { readdir } from "node:fs/promises";
import type Docker from "dockerode";
import { LABEL, type Instance } from "./instance.ts";
import type { Inventory as CloudInventory } from "../hetzner/state/inventory.ts";
import { processesOf } from "./processes.ts";
import { listChains, removeChains } from "../vps/iptables.ts";

/** Everything that an instance holds on this machine, by name. */
export interface Inventory {
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly images: readonly string[];
  readonly chains: readonly string[];
  readonly processes: readonly string[];
  readonly files: readonly string[];
}

/** The same with what exists at the simulated Hetzner, by the API's names. */
export interface WorldInventory extends Inventory {
  readonly cloud: CloudInventory;
}

/** Looks it all up by label and name; needs no world.json. */
export async function takeInventory(docker: Docker, instance: Instance): Promise<Inventory> {
  const filters = { label: [`${LABEL}=${instance.label}`] };
  const [containers, volumes, networks, images, chains, processes, files] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
    docker.listNetworks({ filters }),
    docker.listImages({ filters }),
    listChains(`${instance.chain}-`),
    processesOf(instance),
    readdir(instance.dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    }),
  ]);
  return {
    containers: containers.map(({ Names }) => Names[0]?.slice(1) ?? ""),
    volumes: (volumes.Volumes ?? []).map(({ Name }) => Name),
    networks: networks.map(({ Name }) => Name),
    images: images.flatMap(({ Id, RepoTags }) => {
      const tags = (RepoTags ?? []).filter((tag) => tag !== "<none>:<none>");
      return tags.length > 0 ? tags : [Id];
    }),
    chains,
    processes: processes.map(({ pid, command }) => `${pid} ${command}`),
    files,
  };
}

/** Removes what Docker and the kernel hold for the instance; the supervisor must have ended. */
export async function removeHoldings(docker: Docker, instance: Instance): Promise<void> {
  const held = await takeInventory(docker, instance);
  await Promise.all(held.containers.map((name) => docker.getContainer(name).remove({ force: true, v: true })));
  await Promise.all(held.volumes.map((name) => docker.getVolume(name).remove({ force: true })));
  // One after the other: with its last child an untagged image is removed too, and while that is under way Docker answers
  // 500 to a second request for it.
  for (const name of held.images) await removeImage(docker, name);
  await removeChains(`${instance.chain}-`);
  await Promise.all(held.networks.map((name) => docker.getNetwork(name).remove()));
}

async function removeImage(docker: Docker, name: string): Promise<void> {
  await docker
    .getImage(name)
    .remove({ force: true })
    .catch((error: unknown) => {
      if ((error as { statusCode?: number }).statusCode !== 404) throw error;
    });
}

import type Docker from "dockerode";
import { OperatorError } from "../../shared/errors.ts";
import { LABEL, type Instance } from "../supervisor/instance.ts";
import { run } from "../../shared/exec.ts";
import { explicitSubnet, firstFreeSubnet, hostAddress, overlaps, type TakenRange } from "./subnet.ts";

export interface Network {
  /** A /24. */
  readonly subnet: string;
  /** Its first address: this machine's, where the sandbox's services listen. */
  readonly gateway: string;
}

/** Every IPv4 range that this machine already uses, by Docker network or by route. */
export async function takenRanges(docker: Docker): Promise<readonly TakenRange[]> {
  const networks = await docker.listNetworks();
  const docked = networks.flatMap((network) =>
    (network.IPAM?.Config ?? []).flatMap(({ Subnet: cidr }) =>
      cidr === undefined ? [] : [{ cidr, by: `the Docker network ${network.Name}` }],
    ),
  );
  const routes = JSON.parse((await run("ip", ["-4", "-json", "route"])).stdout) as { dst: string; dev?: string }[];
  const routed = routes
    .filter(({ dst }) => dst !== "default")
    .map(({ dst, dev }) => ({ cidr: dst, by: `a route of this machine by ${dev ?? "no device"}` }));
  return [...docked, ...routed];
}

/**
 * The instance's network: the one it has, or a new one in the subnet asked for, the last one, or the first free one.
 * Docker refuses overlapping networks, so two sandboxes that choose at once cannot get the same.
 */
export async function ensureNetwork(
  docker: Docker,
  instance: Instance,
  wanted: { readonly explicit?: string; readonly last?: string },
): Promise<Network> {
  const existing = await findNetwork(docker, instance);
  if (existing !== undefined) {
    expectSubnet(wanted.explicit, existing.subnet);
    return existing;
  }
  const refused: TakenRange[] = [];
  for (;;) {
    const taken = [...(await takenRanges(docker)), ...refused];
    const subnet = choose(wanted, taken);
    const network = { subnet, gateway: hostAddress(subnet, 1) };
    try {
      await createNetwork(docker, instance, network);
      return network;
    } catch (error) {
      if (!/overlaps|conflicts with network/i.test(String(error))) throw error;
      refused.push({ cidr: subnet, by: "another network that Docker knows" });
    }
  }
}

/** Refuses a subnet in VPAI_SANDBOX_SUBNET that is not the one in which the sandbox already is. */
export function expectSubnet(explicit: string | undefined, actual: string): void {
  if (explicit === undefined || explicit === "" || explicit === actual) return;
  throw new OperatorError({
    key: "VPAI_SANDBOX_SUBNET",
    found: `${explicit}, but this sandbox is up in ${actual}`,
    allowed: actual,
    fix: "unset it, or run `npm run sandbox:down` first",
  });
}

function choose(wanted: { explicit?: string; last?: string }, taken: readonly TakenRange[]): string {
  if (wanted.explicit !== undefined && wanted.explicit !== "") return explicitSubnet(wanted.explicit, taken);
  const { last } = wanted;
  if (last === undefined) return firstFreeSubnet(taken);
  const holder = taken.find(({ cidr }) => overlaps(cidr, last));
  if (holder === undefined) return last;
  throw new OperatorError({
    key: "sandbox subnet",
    found: `${last}, where this sandbox was, is now in use by ${holder.by} (${holder.cidr})`,
    fix: "run `npm run sandbox:down` and start again: its servers' addresses are gone with the network",
  });
}

async function findNetwork(docker: Docker, instance: Instance): Promise<Network | undefined> {
  const networks = await docker.listNetworks({ filters: { label: [`${LABEL}=${instance.label}`] } });
  const config = networks.find(({ Name }) => Name === instance.prefix)?.IPAM?.Config?.[0];
  if (config?.Subnet === undefined || config.Gateway === undefined) return undefined;
  return { subnet: config.Subnet, gateway: config.Gateway };
}

async function createNetwork(docker: Docker, instance: Instance, network: Network): Promise<void> {
  await docker.createNetwork({
    Name: instance.prefix,
    Driver: "bridge",
    Internal: true,
    CheckDuplicate: true,
    Labels: { [LABEL]: instance.label },
    IPAM: { Config: [{ Subnet: network.subnet, Gateway: network.gateway }] },
    Options: { "com.docker.network.bridge.name": instance.bridge },
  });
}

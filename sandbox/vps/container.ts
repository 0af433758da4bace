import { cpus } from "node:os";
import type { ContainerCreateOptions, HostConfig } from "dockerode";
import { LABEL, type Instance } from "../supervisor/instance.ts";
import type { MachineSpec } from "../hetzner/state/machines.ts";

export const containerName = (instance: Instance, id: number): string => `${instance.prefix}-server-${id}`;
export const volumeName = (instance: Instance, id: number): string => `${instance.prefix}-server-${id}-docker`;
export const snapshotTag = (instance: Instance, snapshot: string): string =>
  `${instance.prefix}/snapshot:${snapshot.toLowerCase().replace(/[^a-z0-9_.-]/g, "-")}`;
export const snapshotVolume = (instance: Instance, snapshot: string): string =>
  `${instance.prefix}-snapshot-${snapshot.toLowerCase().replace(/[^a-z0-9_.-]/g, "-")}`;

/** A systemd machine with its own Docker, as a container. `gateway` answers DNS. */
export function containerOptions(
  instance: Instance,
  spec: MachineSpec,
  image: string,
  seed: string,
  gateway: string,
): ContainerCreateOptions {
  const host: HostConfig & { readonly CgroupnsMode: string } = {
    // Everything systemd and a nested dockerd need. Not SYS_TIME: a time zone set inside would move this
    // machine's clock. Not SYS_MODULE. SYS_RESOURCE is refused on many hosts.
    CapAdd: ["ALL"],
    CapDrop: ["SYS_RESOURCE", "SYS_TIME", "SYS_MODULE"],
    SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    MaskedPaths: [],
    ReadonlyPaths: [],
    // Its own root of the control groups: see files/rootfs/usr/local/sbin/sandbox-init.
    CgroupnsMode: "private",
    Tmpfs: { "/run": "", "/run/lock": "" },
    Devices: [{ PathOnHost: "/dev/net/tun", PathInContainer: "/dev/net/tun", CgroupPermissions: "rwm" }],
    Binds: [`${volumeName(instance, spec.id)}:/var/lib/docker`, `${seed}:/var/lib/cloud/seed/nocloud:ro`],
    Dns: [gateway],
    NetworkMode: instance.prefix,
    Memory: spec.memoryMb * 1024 * 1024,
    MemorySwap: spec.memoryMb * 1024 * 1024,
    // A machine with fewer cores than the server type has gives all it has.
    NanoCpus: Math.min(spec.cores, cpus().length) * 1e9,
    // A reboot inside ends the container, and Docker starts it again; a power-off from outside lasts.
    RestartPolicy: { Name: "unless-stopped" },
  };
  return {
    name: containerName(instance, spec.id),
    Image: image,
    Hostname: spec.name,
    Labels: { [LABEL]: instance.label, "vpai.server": String(spec.id), "vpai.server-name": spec.name },
    StopSignal: "SIGRTMIN+3",
    HostConfig: host,
    NetworkingConfig: { EndpointsConfig: { [instance.prefix]: { IPAMConfig: { IPv4Address: spec.ipv4 } } } },
  };
}

import { locations, type Location, type ServerType, type SystemImage, systemImages } from "../state/catalogue.ts";
import { type Cloud, firewallsOf, hasCapacity, ipOf, isTargeted, serverQueue, typeOf } from "../state/cloud.ts";
import type {
  FirewallRecord,
  FirewallTarget,
  PrimaryIpRecord,
  ServerRecord,
  SnapshotRecord,
  SshKeyRecord,
  VolumeRecord,
} from "../state/model.ts";

const tb = 1024 ** 4;

function location(name: string): Location | undefined {
  return locations.find((candidate) => candidate.name === name);
}

function price(net: number): { net: string; gross: string } {
  return { net: net.toFixed(10), gross: (net * 1.19).toFixed(16) };
}

/** The prices of a server type, one entry a location. */
export function pricesView(type: ServerType): object[] {
  return type.locations.map((name) => ({
    location: name,
    price_hourly: price(type.monthly / 624),
    price_monthly: price(type.monthly),
    included_traffic: (name === "sin" ? 0.5 : 20) * tb,
    price_per_tb_traffic: price(1),
  }));
}

/** `available` and `recommended` came to `locations` in April 2026 (hetznercloud/cli issue 1322). */
export function serverTypeView(cloud: Cloud, type: ServerType): object {
  return {
    id: type.id,
    name: type.name,
    description: type.name.toUpperCase(),
    category: type.category,
    cores: type.cores,
    memory: type.memory,
    disk: type.disk,
    deprecated: type.deprecation !== null,
    deprecation: type.deprecation,
    prices: pricesView(type),
    storage_type: "local",
    cpu_type: type.cpuType,
    architecture: type.architecture,
    included_traffic: 0,
    locations: type.locations.map((name) => {
      const available = type.deprecation === null && hasCapacity(cloud, type.name, name);
      const id = location(name)?.id;
      return { id, name, deprecation: type.deprecation, available, recommended: available };
    }),
  };
}

export function systemImageView(image: SystemImage): object {
  return {
    id: image.id,
    type: "system",
    status: "available",
    name: image.name,
    description: image.description,
    image_size: null,
    disk_size: 5,
    created: image.created,
    created_from: null,
    bound_to: null,
    os_flavor: "debian",
    os_version: image.osVersion,
    rapid_deploy: true,
    protection: { delete: false },
    deprecated: null,
    deleted: null,
    labels: {},
    architecture: image.architecture,
  };
}

export function snapshotView(image: SnapshotRecord): object {
  return {
    id: image.id,
    type: "snapshot",
    status: image.status,
    name: null,
    description: image.description,
    image_size: image.status === "available" ? 1 : null,
    disk_size: image.diskSize,
    created: image.created,
    created_from: image.createdFrom,
    bound_to: null,
    os_flavor: "debian",
    os_version: image.osVersion,
    rapid_deploy: false,
    protection: image.protection,
    deprecated: null,
    deleted: null,
    labels: image.labels,
    architecture: image.architecture,
  };
}

/** An image by id, system or snapshot; undefined when it is gone. */
export function imageView(cloud: Cloud, id: number): object | undefined {
  const system = systemImages.find((image) => image.id === id);
  const snapshot = cloud.state.snapshots.find((image) => image.id === id);
  return system !== undefined ? systemImageView(system) : snapshot && snapshotView(snapshot);
}

/** Without `datacenter`, which left the API on 1 July 2026. */
export function serverView(cloud: Cloud, server: ServerRecord): object {
  const ipv4 = ipOf(cloud, server, "ipv4");
  const ipv6 = ipOf(cloud, server, "ipv6");
  const pending = cloud.state.actions.some(
    ({ status, task }) => status === "running" && task.kind === "firewall" && task.server === server.id,
  );
  return {
    id: server.id,
    name: server.name,
    status: server.status,
    created: server.created,
    public_net: {
      ipv4: ipv4 ? { id: ipv4.id, ip: ipv4.ip, blocked: false, dns_ptr: ipv4.dnsPtr[0]?.dns_ptr ?? null } : null,
      ipv6: ipv6 ? { id: ipv6.id, ip: ipv6.ip, blocked: false, dns_ptr: ipv6.dnsPtr } : null,
      floating_ips: [],
      firewalls: firewallsOf(cloud, server).map(({ id }) => ({ id, status: pending ? "pending" : "applied" })),
    },
    private_net: [],
    server_type: serverTypeView(cloud, typeOf(server)),
    location: location(server.location),
    image: imageView(cloud, server.image) ?? null,
    iso: null,
    rescue_enabled: false,
    locked: cloud.actions.isLocked(serverQueue(server.id)),
    backup_window: null,
    outgoing_traffic: 0,
    ingoing_traffic: 0,
    included_traffic: 20 * tb,
    protection: server.protection,
    labels: server.labels,
    volumes: cloud.state.volumes.filter((volume) => volume.server === server.id).map(({ id }) => id),
    load_balancers: [],
    primary_disk_size: server.primaryDiskSize,
    placement_group: null,
  };
}

/** `assignee_type` is `unassigned` without an assignee since 1 August 2026 (terraform-provider-hcloud pull 1395). */
export function primaryIpView(ip: PrimaryIpRecord): object {
  return {
    id: ip.id,
    name: ip.name,
    type: ip.type,
    ip: ip.ip,
    location: location(ip.location),
    created: ip.created,
    labels: ip.labels,
    assignee_id: ip.assignee,
    assignee_type: ip.assignee === null ? "unassigned" : "server",
    auto_delete: ip.autoDelete,
    blocked: false,
    protection: ip.protection,
    dns_ptr: ip.dnsPtr,
  };
}

export function firewallView(cloud: Cloud, firewall: FirewallRecord): object {
  return {
    id: firewall.id,
    name: firewall.name,
    labels: firewall.labels,
    created: firewall.created,
    rules: firewall.rules.map(({ direction, protocol, port, cidrs, description }) => ({
      direction,
      protocol,
      port: port ?? null,
      description,
      source_ips: direction === "in" ? cidrs : [],
      destination_ips: direction === "out" ? cidrs : [],
    })),
    applied_to: firewall.appliedTo.map((target) => targetView(cloud, target)),
  };
}

function targetView(cloud: Cloud, target: FirewallTarget): object {
  if (target.type === "server") {
    return { type: "server", server: { id: target.server } };
  }
  const matching = cloud.state.servers.filter((server) => isTargeted(target, server));
  return {
    type: "label_selector",
    label_selector: { selector: target.selector },
    applied_to_resources: matching.map(({ id }) => ({ type: "server", server: { id } })),
  };
}

export function sshKeyView(key: SshKeyRecord): object {
  const { id, name, fingerprint, publicKey, labels, created } = key;
  return { id, name, fingerprint, public_key: publicKey, labels, created };
}

export function volumeView(volume: VolumeRecord): object {
  return {
    id: volume.id,
    name: volume.name,
    server: volume.server,
    status: "available",
    location: location(volume.location),
    size: volume.size,
    format: volume.format,
    protection: volume.protection,
    labels: volume.labels,
    linux_device: `/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`,
    created: volume.created,
  };
}

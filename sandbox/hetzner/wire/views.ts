import {
  locations,
  pricing,
  serverTypes,
  type ServerType,
  type SystemImage,
  systemImages,
} from "../state/catalogue.ts";
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
import type {
  FirewallView,
  ImageView,
  LocationView,
  Price,
  PricingView,
  PrimaryIpView,
  ServerTypePrice,
  ServerTypeView,
  ServerView,
  SshKeyView,
  VolumeView,
} from "./types.ts";

const tb = 1024 ** 4;

function location(name: string): LocationView {
  const found = locations.find((candidate) => candidate.name === name);
  if (found === undefined) {
    throw new Error(`unknown location: ${name}`);
  }
  return found;
}

/** With VAT; ten decimals for net and sixteen for gross, as the API has it. */
function price(net: string): Price {
  const gross = Number(net) * (1 + Number(pricing.vatRate) / 100);
  return { net: Number(net).toFixed(10), gross: gross.toFixed(16) };
}

/** The prices of a server type, one entry a location. */
function pricesView(type: ServerType): ServerTypePrice[] {
  return type.locations.map(({ name, hourly, monthly, trafficTb, perTb }) => ({
    location: name,
    price_hourly: price(hourly),
    price_monthly: price(monthly),
    included_traffic: trafficTb * tb,
    price_per_tb_traffic: price(perTb),
  }));
}

export function pricingView(): PricingView {
  const { currency, vatRate, backupPercent, imageGbMonth, volumeGbMonth, primaryIps, floatingIps } = pricing;
  const versions = ["ipv4", "ipv6"] as const;
  return {
    currency,
    vat_rate: vatRate,
    server_types: serverTypes.map((type) => ({ id: type.id, name: type.name, prices: pricesView(type) })),
    primary_ips: versions.map((version) => ({
      type: version,
      prices: primaryIps
        .filter(({ type }) => type === version)
        .map(({ location: at, hourly, monthly }) => ({
          location: at,
          price_hourly: price(hourly),
          price_monthly: price(monthly),
        })),
    })),
    floating_ip: { price_monthly: price(floatingIps.find(({ type }) => type === "ipv4")?.monthly ?? "0") },
    floating_ips: versions.map((version) => ({
      type: version,
      prices: floatingIps
        .filter(({ type }) => type === version)
        .map(({ location: at, monthly }) => ({ location: at, price_monthly: price(monthly) })),
    })),
    load_balancer_types: [],
    server_backup: { percentage: backupPercent },
    image: { price_per_gb_month: price(imageGbMonth) },
    volume: { price_per_gb_month: price(volumeGbMonth) },
  };
}

/** `available` and `recommended` came to `locations` in April 2026 (hetznercloud/cli issue 1322). */
export function serverTypeView(cloud: Cloud, type: ServerType): ServerTypeView {
  return {
    id: type.id,
    name: type.name,
    description: type.description,
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
    locations: type.locations.map(({ name, deprecation = null }) => {
      const available = deprecation === null && hasCapacity(cloud, type.name, name);
      return { id: location(name).id, name, deprecation, available, recommended: available };
    }),
  };
}

export function systemImageView(image: SystemImage): ImageView {
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

export function snapshotView(image: SnapshotRecord): ImageView {
  return {
    id: image.id,
    type: (image.boundTo ?? null) === null ? "snapshot" : "backup",
    status: image.status,
    name: null,
    description: image.description,
    image_size: image.status === "available" ? 1 : null,
    disk_size: image.diskSize,
    created: image.created,
    created_from: image.createdFrom,
    bound_to: image.boundTo ?? null,
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

/** An image by id, system or snapshot; undefined when it no longer exists. */
export function imageView(cloud: Cloud, id: number): ImageView | undefined {
  const system = systemImages.find((image) => image.id === id);
  const snapshot = cloud.state.snapshots.find((image) => image.id === id);
  return system !== undefined ? systemImageView(system) : snapshot && snapshotView(snapshot);
}

/** Without `datacenter`, which was removed from the API on 1 July 2026. */
export function serverView(cloud: Cloud, server: ServerRecord): ServerView {
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
    rescue_enabled: (server.rescueUntil ?? 0) > cloud.now(),
    locked: cloud.actions.isLocked(serverQueue(server.id)),
    backup_window: server.backupWindow ?? null,
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
export function primaryIpView(ip: PrimaryIpRecord): PrimaryIpView {
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

export function firewallView(cloud: Cloud, firewall: FirewallRecord): FirewallView {
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

function targetView(cloud: Cloud, target: FirewallTarget): FirewallView["applied_to"][number] {
  if (target.type === "server") {
    return { type: "server", server: { id: target.server } };
  }
  const matching = cloud.state.servers.filter((server) => isTargeted(target, server));
  return {
    type: "label_selector",
    label_selector: { selector: target.selector },
    applied_to_resources: matching.map(({ id }) => ({ type: "server" as const, server: { id } })),
  };
}

export function sshKeyView(key: SshKeyRecord): SshKeyView {
  const { id, name, fingerprint, publicKey, labels, created } = key;
  return { id, name, fingerprint, public_key: publicKey, labels, created };
}

export function volumeView(volume: VolumeRecord): VolumeView {
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

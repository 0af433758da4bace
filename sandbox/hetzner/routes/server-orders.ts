import { randomBytes } from "node:crypto";

import { z } from "zod";

import { byIdOrName, locations, type ServerType, serverTypes, systemImages } from "../state/catalogue.ts";
import { type Cloud, hasCapacity } from "../state/cloud.ts";
import {
  conflict,
  invalidField,
  limitExceeded,
  notFound,
  notSimulated,
  notUnique,
  unavailable,
} from "../wire/errors.ts";
import type { FirewallRecord, PrimaryIpRecord, VolumeRecord } from "../state/model.ts";
import { hostname, id, idOrName, labels, locationName } from "../wire/requests.ts";

/** The body of `POST /servers`. */
export const createRequest = z.strictObject({
  name: hostname,
  server_type: idOrName,
  image: idOrName,
  location: z.string().optional(),
  datacenter: z.string().optional(),
  start_after_create: z.boolean().default(true),
  ssh_keys: z.array(idOrName).default([]),
  user_data: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= 32 * 1024, "is longer than 32 KiB")
    .default(""),
  labels: labels.default({}),
  automount: z.boolean().optional(),
  volumes: z.array(id).default([]),
  networks: z.array(id).default([]),
  firewalls: z
    .array(z.strictObject({ firewall: id }))
    .max(5)
    .default([]),
  placement_group: id.optional(),
  public_net: z
    .strictObject({
      enable_ipv4: z.boolean().default(true),
      enable_ipv6: z.boolean().default(true),
      ipv4: id.nullish(),
      ipv6: id.nullish(),
    })
    .default({ enable_ipv4: true, enable_ipv6: true }),
});

export type CreateRequest = z.infer<typeof createRequest>;

/** The image of a creation or a rebuild, by id, or by name for system images. */
export function findImage(cloud: Cloud, key: number | string, architecture: string): { id: number; diskSize: number } {
  const system = byIdOrName(
    systemImages.filter((image) => typeof key === "number" || /^\d+$/.test(key) || image.architecture === architecture),
    key,
  );
  const snapshot = cloud.state.snapshots.find((image) => image.id === Number(key));
  const image = system ?? snapshot;
  if (image === undefined) {
    throw notFound("image", key);
  }
  if (image.architecture !== architecture) {
    throw invalidField("image", "image architecture is incompatible with the server type's");
  }
  if (snapshot !== undefined && snapshot.status !== "available") {
    throw unavailable(`image ${snapshot.id} is not available yet`);
  }
  return { id: image.id, diskSize: snapshot?.diskSize ?? 5 };
}

export function rootPassword(): string {
  return randomBytes(15).toString("base64url");
}

/** The type, if it can be ordered at the place; `invalid_input` when it is never sold there, 412 when sold out. */
function place(cloud: Cloud, request: CreateRequest): { type: ServerType; location: string } {
  const type = byIdOrName(serverTypes, request.server_type);
  if (type === undefined) {
    throw notFound("server type", request.server_type);
  }
  if (type.deprecation !== null && Date.parse(type.deprecation.unavailable_after) < cloud.now()) {
    throw invalidField("server_type", `server type ${type.name} is deprecated`);
  }
  const named = locationName(request.location, request.datacenter);
  const sold = type.locations.map(({ name }) => name);
  const wanted = named ?? sold.find((name) => hasCapacity(cloud, type.name, name)) ?? sold[0] ?? "";
  const location = byIdOrName(locations, wanted);
  if (location === undefined) {
    throw notFound("location", wanted);
  }
  if (!sold.includes(location.name)) {
    throw invalidField("location", "unsupported location for server type");
  }
  const soldOut = cloud.faults.strike(
    "no-capacity",
    (fault) => fault.serverType === type.name && (fault.location === undefined || fault.location === location.name),
  );
  if (soldOut !== undefined) {
    throw unavailable("error during placement");
  }
  return { type, location: location.name };
}

/** The caller's primary IP, if it can be given to a new server. */
function givenIp(cloud: Cloud, key: number, type: "ipv4" | "ipv6", location: string): PrimaryIpRecord {
  const ip = cloud.state.primaryIps.find((candidate) => candidate.id === key);
  if (ip === undefined) {
    throw notFound("primary IP", key);
  }
  if (ip.type !== type) {
    throw conflict("primary_ip_version_mismatch", `primary IP ${key} is no ${type} address`);
  }
  if (ip.assignee !== null) {
    throw conflict("primary_ip_assigned", `primary IP ${key} is already assigned to a server`);
  }
  if (ip.location !== location) {
    throw conflict("primary_ip_datacenter_mismatch", `primary IP ${key} is at ${ip.location}, not at ${location}`);
  }
  return ip;
}

function known<T extends { readonly id: number; readonly name: string }>(
  items: readonly T[],
  what: string,
  key: number | string,
): T {
  const found = byIdOrName(items, key);
  if (found === undefined) {
    throw notFound(what, key);
  }
  return found;
}

/** What a creation refers to, each found and fit. */
export interface Order {
  /** Public keys. */
  readonly keys: readonly string[];
  readonly firewalls: readonly FirewallRecord[];
  readonly volumes: readonly VolumeRecord[];
  readonly type: ServerType;
  readonly location: string;
  /** Id of the image. */
  readonly image: number;
  readonly own4: PrimaryIpRecord | undefined;
  readonly own6: PrimaryIpRecord | undefined;
}

/** Checks everything a creation refers to, so that it is refused before anything is recorded. */
export function resolveOrder(cloud: Cloud, request: CreateRequest): Order {
  const { state, limits } = cloud;
  checkServerName(cloud, request.name);
  if (request.networks.length > 0) {
    throw notSimulated("a server in a network");
  }
  if (request.placement_group !== undefined) {
    throw notFound("placement group", request.placement_group);
  }
  if (!request.public_net.enable_ipv4) {
    throw notSimulated("a server without a public IPv4 address");
  }
  const keys = request.ssh_keys.map((key) => known(state.sshKeys, "SSH key", key).publicKey);
  const firewalls = request.firewalls.map(({ firewall }) => known(state.firewalls, "firewall", firewall));
  const volumes = request.volumes.map((key) => known(state.volumes, "volume", key));
  for (const volume of volumes) {
    if (volume.server !== null) {
      throw conflict("volume_already_attached", `volume ${volume.id} is already attached`);
    }
  }
  const { type, location } = place(cloud, request);
  const image = findImage(cloud, request.image, type.architecture);
  if (image.diskSize > type.disk) {
    throw invalidField("image", "image disk is bigger than server type disk");
  }
  const { ipv4, ipv6 } = request.public_net;
  const own4 = ipv4 == null ? undefined : givenIp(cloud, ipv4, "ipv4", location);
  const own6 = ipv6 == null ? undefined : givenIp(cloud, ipv6, "ipv6", location);
  if (state.servers.length >= limits.servers) {
    throw limitExceeded("server_limit");
  }
  return { keys, firewalls, volumes, type, location, image: image.id, own4, own6 };
}

export function checkServerName(cloud: Cloud, name: string, self?: number): void {
  if (cloud.state.servers.some((server) => server.name === name && server.id !== self)) {
    throw notUnique("name", "server name is already used");
  }
}

import { isIPv6 } from "node:net";

import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { documentationIpv6, freeIpv4 } from "../state/addresses.ts";
import { byIdOrName, locations } from "../state/catalogue.ts";
import { type Cloud, findServer, ipOf, serverQueue } from "../state/cloud.ts";
import { timestamp } from "../state/time.ts";
import {
  conflict,
  invalidField,
  isProtected,
  limitExceeded,
  locked,
  notFound,
  notStopped,
  notUnique,
  unprocessable,
} from "../wire/errors.ts";
import { answerList } from "../wire/listing.ts";
import type { Labels, PrimaryIpRecord, Task } from "../state/model.ts";
import { body, hostname, id, labels, locationName, nothing, pathId, resourceName } from "../wire/requests.ts";
import { primaryIpView } from "../wire/views.ts";
import type {
  ActionAnswer,
  ActionView,
  Answers,
  CreatePrimaryIpAnswer,
  ListAnswer,
  PrimaryIpView,
} from "../wire/types.ts";
import { created } from "../wire/created.ts";

const createRequest = z.strictObject({
  name: resourceName,
  type: z.enum(["ipv4", "ipv6"]),
  assignee_type: z.literal("server").optional(),
  assignee_id: id.nullish(),
  location: z.string().optional(),
  datacenter: z.string().optional(),
  labels: labels.default({}),
  auto_delete: z.boolean().nullish(),
});
const updateRequest = z.strictObject({
  name: resourceName.optional(),
  labels: labels.optional(),
  auto_delete: z.boolean().optional(),
});
/** Debian 12's hcloud repeats the path's id in the body of an action, and the API ignores it. */
const repeated = { ID: id.optional() };
const assignRequest = z.strictObject({ ...repeated, assignee_id: id, assignee_type: z.literal("server") });
const protectionRequest = z.strictObject({ ...repeated, delete: z.boolean() });

interface NewPrimaryIp {
  readonly type: "ipv4" | "ipv6";
  readonly location: string;
  readonly autoDelete: boolean;
  readonly name?: string;
  readonly labels?: Labels;
}

/** Records a new address, assigned to nothing; the caller saves. */
export function newPrimaryIp(
  cloud: Cloud,
  { type, location, autoDelete, name, labels = {} }: NewPrimaryIp,
): PrimaryIpRecord {
  const { state, store, limits } = cloud;
  if (state.primaryIps.length >= limits.primaryIps) {
    throw limitExceeded("primary_ip_limit");
  }
  const key = store.newId();
  const ip =
    type === "ipv4"
      ? freeIpv4(cloud.subnet, new Set(state.primaryIps.map((other) => other.ip)))
      : documentationIpv6(key);
  const record: PrimaryIpRecord = {
    id: key,
    name: name ?? `primary_ip-${key}`,
    type,
    ip,
    location,
    created: timestamp(cloud.now()),
    labels,
    assignee: null,
    autoDelete,
    protection: { delete: false },
    dnsPtr: originalDnsPtr(type, ip),
  };
  state.primaryIps.push(record);
  return record;
}

/** What an address has before anybody sets it: an IPv4 address a name of Hetzner's, an IPv6 network nothing. */
function originalDnsPtr(type: "ipv4" | "ipv6", ip: string): PrimaryIpRecord["dnsPtr"] {
  return type === "ipv4" ? [{ ip, dns_ptr: `static.${ip.split(".").reverse().join(".")}.clients.your-server.de` }] : [];
}

/** Reverse name of one of a resource's addresses. */
export const dnsPtrRequest = z.strictObject({ ip: z.string(), dns_ptr: hostname.nullable() });

/** Sets the reverse name of one address among `ips`; null resets it to the original value. */
export function setDnsPtr(ips: readonly PrimaryIpRecord[], address: string, name: string | null): void {
  const owner = ips.find(({ ip, type }) =>
    type === "ipv4" ? ip === address : isIPv6(address) && address.startsWith(ip.slice(0, -"/64".length - 1)),
  );
  if (owner === undefined) {
    throw invalidField("ip", `'${address}' does not belong to the resource`);
  }
  owner.dnsPtr = owner.dnsPtr.filter(({ ip }) => ip !== address);
  owner.dnsPtr.push(...(name === null ? originalDnsPtr(owner.type, address) : [{ ip: address, dns_ptr: name }]));
}

function find(cloud: Cloud, key: number): PrimaryIpRecord {
  const ip = cloud.state.primaryIps.find((candidate) => candidate.id === key);
  if (ip === undefined) {
    throw notFound("primary IP", key);
  }
  return ip;
}

function checkName(cloud: Cloud, name: string, self?: number): void {
  if (cloud.state.primaryIps.some((ip) => ip.name === name && ip.id !== self)) {
    throw notUnique("name", "primary IP name is already used");
  }
}

/** A server takes or gives up an address only while it is off, and holds one of each version at most. */
function checkAssignable(cloud: Cloud, server: number, type: "ipv4" | "ipv6", location?: string): void {
  const record = findServer(cloud, server);
  if (cloud.actions.isLocked(serverQueue(server))) {
    throw locked("server");
  }
  if (record.status !== "off") {
    throw notStopped();
  }
  if (ipOf(cloud, record, type) !== undefined) {
    throw unprocessable(`server_has_${type}`, `server already has an ${type} address`);
  }
  if (location !== undefined && location !== record.location) {
    throw conflict("primary_ip_datacenter_mismatch", `primary IP is at ${location}, the server at ${record.location}`);
  }
}

function create(cloud: Cloud, request: z.infer<typeof createRequest>): CreatePrimaryIpAnswer {
  checkName(cloud, request.name);
  const server = request.assignee_id == null ? undefined : findServer(cloud, request.assignee_id);
  const named = locationName(request.location, request.datacenter);
  if ((named === undefined) === (server === undefined)) {
    throw invalidField("location", "exactly one of location and assignee_id is required");
  }
  const location = byIdOrName(locations, named ?? server?.location ?? "");
  if (location === undefined) {
    throw notFound("location", named ?? "");
  }
  if (server !== undefined) {
    checkAssignable(cloud, server.id, request.type);
  }
  const ip = newPrimaryIp(cloud, {
    type: request.type,
    location: location.name,
    autoDelete: request.auto_delete ?? false,
    name: request.name,
    labels: request.labels,
  });
  ip.assignee = server?.id ?? null;
  cloud.store.save();
  const action = server && start(cloud, ip, "assign_primary_ip");
  return { primary_ip: primaryIpView(ip), ...(action && { action }) };
}

function start(cloud: Cloud, ip: PrimaryIpRecord, command: string, server: number | null = ip.assignee): ActionView {
  const task: Task = { kind: "record" };
  const resources = [{ id: ip.id, type: "primary_ip" }];
  if (server !== null) {
    resources.push({ id: server, type: "server" });
  }
  const queue = server === null ? `primary_ip:${ip.id}` : serverQueue(server);
  return cloud.actions.view(cloud.actions.start({ command, resources, task, queue, exclusive: server !== null }));
}

/** An assigned address is never deleted: `must_be_unassigned` since 1 May 2026. */
function remove(cloud: Cloud, ip: PrimaryIpRecord): void {
  if (ip.protection.delete) {
    throw isProtected("primary IP");
  }
  if (ip.assignee !== null) {
    throw unprocessable("must_be_unassigned", "primary IP is assigned to a server");
  }
  cloud.state.primaryIps = cloud.state.primaryIps.filter((other) => other !== ip);
  cloud.store.save();
}

export function primaryIpRoutes(app: FastifyInstance, cloud: Cloud): void {
  app.get<Answers<ListAnswer<"primary_ips", PrimaryIpView>>>("/primary_ips", (request, reply) =>
    answerList(request, reply, cloud.state.primaryIps, {
      key: "primary_ips",
      view: primaryIpView,
      filters: { name: ({ name }) => name, ip: ({ ip }) => ip, type: ({ type }) => type },
      labels: (ip) => ip.labels,
      sorts: { id: (ip) => ip.id, name: ({ name }) => name, created: ({ created }) => created },
    }),
  );
  app.get<Answers<{ primary_ip: PrimaryIpView }>>("/primary_ips/:id", (request) => ({
    primary_ip: primaryIpView(find(cloud, pathId(request, "primary IP"))),
  }));
  app.post<Answers<CreatePrimaryIpAnswer>>("/primary_ips", (request, reply) =>
    created(reply, create(cloud, body(createRequest, request))),
  );
  app.put<Answers<{ primary_ip: PrimaryIpView }>>("/primary_ips/:id", (request) => {
    const ip = find(cloud, pathId(request, "primary IP"));
    const change = body(updateRequest, request);
    checkName(cloud, change.name ?? ip.name, ip.id);
    if (change.auto_delete === true && ip.protection.delete) {
      throw invalidField("auto_delete", "cannot be set while delete protection is on");
    }
    ip.name = change.name ?? ip.name;
    ip.labels = change.labels ?? ip.labels;
    ip.autoDelete = change.auto_delete ?? ip.autoDelete;
    cloud.store.save();
    return { primary_ip: primaryIpView(ip) };
  });
  app.delete("/primary_ips/:id", (request, reply) => {
    remove(cloud, find(cloud, pathId(request, "primary IP")));
    return reply.code(204).send();
  });

  const path = (name: string): string => `/primary_ips/:id/actions/${name}`;
  app.post<Answers<ActionAnswer>>(path("assign"), (request, reply) => {
    const ip = find(cloud, pathId(request, "primary IP"));
    const { assignee_id: server } = body(assignRequest, request);
    if (ip.assignee !== null) {
      throw unprocessable("primary_ip_already_assigned", "primary IP is already assigned to a server");
    }
    checkAssignable(cloud, server, ip.type, ip.location);
    ip.assignee = server;
    return created(reply, { action: start(cloud, ip, "assign_primary_ip") });
  });
  app.post<Answers<ActionAnswer>>(path("unassign"), (request, reply) => {
    body(nothing, request);
    const ip = find(cloud, pathId(request, "primary IP"));
    const server = ip.assignee === null ? undefined : findServer(cloud, ip.assignee);
    if (server === undefined) {
      throw invalidField("id", "primary IP is not assigned");
    }
    if (server.status !== "off") {
      throw notStopped();
    }
    ip.assignee = null;
    return created(reply, { action: start(cloud, ip, "unassign_primary_ip", server.id) });
  });
  app.post<Answers<ActionAnswer>>(path("change_protection"), (request, reply) => {
    const ip = find(cloud, pathId(request, "primary IP"));
    const wanted = body(protectionRequest, request);
    if (wanted.delete && ip.autoDelete) {
      throw invalidField("delete", "cannot be set while auto_delete is true");
    }
    ip.protection = { delete: wanted.delete };
    return created(reply, { action: start(cloud, ip, "change_protection", null) });
  });
  app.post<Answers<ActionAnswer>>(path("change_dns_ptr"), (request, reply) => {
    const ip = find(cloud, pathId(request, "primary IP"));
    const wanted = body(dnsPtrRequest.extend(repeated), request);
    setDnsPtr([ip], wanted.ip, wanted.dns_ptr);
    return created(reply, { action: start(cloud, ip, "change_dns_ptr", null) });
  });
}

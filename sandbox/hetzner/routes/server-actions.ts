import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";

import { byIdOrName, serverTypes, systemImages } from "../state/catalogue.ts";
import { type Cloud, findServer, ipOf, serverQueue, typeOf } from "../state/cloud.ts";
import { timestamp } from "../state/time.ts";
import {
  ApiError,
  invalidField,
  isProtected,
  limitExceeded,
  locked,
  notFound,
  notSimulated,
  notStopped,
} from "../wire/errors.ts";
import type { ServerRecord, ServerStatus, SnapshotRecord, Task } from "../state/model.ts";
import { dnsPtrRequest, setDnsPtr } from "./primary-ips.ts";
import { body, idOrName, labels, nothing, pathId } from "../wire/requests.ts";
import { findImage, rootPassword } from "./server-orders.ts";
import { snapshotView } from "../wire/views.ts";
import type { ActionAnswer, ActionView, Answers, CreateImageAnswer, RebuildAnswer } from "../wire/types.ts";
import { created } from "../wire/created.ts";

/** Path of the action → its command, its task and the status the server has meanwhile. */
const power: Record<
  string,
  { command: string; kind: "start" | "powerOff" | "shutdown" | "reboot" | "reset"; meanwhile: ServerStatus }
> = {
  poweron: { command: "start_server", kind: "start", meanwhile: "starting" },
  poweroff: { command: "stop_server", kind: "powerOff", meanwhile: "stopping" },
  shutdown: { command: "shutdown_server", kind: "shutdown", meanwhile: "stopping" },
  reboot: { command: "reboot_server", kind: "reboot", meanwhile: "running" },
  reset: { command: "reset_server", kind: "reset", meanwhile: "running" },
};

const changeTypeRequest = z.strictObject({ server_type: idOrName, upgrade_disk: z.boolean() });
const rebuildRequest = z.strictObject({
  image: idOrName,
  user_data: z
    .string()
    .max(32 * 1024)
    .optional(),
});
const createImageRequest = z.strictObject({
  description: z.string().nullish(),
  type: z.enum(["snapshot", "backup"]).nullish(),
  labels: labels.default({}),
});
const protectionRequest = z.strictObject({ delete: z.boolean().optional(), rebuild: z.boolean().optional() });

const unsupported = [
  "request_console",
  "attach_iso",
  "detach_iso",
  "attach_to_network",
  "detach_from_network",
  "change_alias_ips",
  "add_to_placement_group",
  "remove_from_placement_group",
];

/** The server of the path, unless an action runs on it. */
export function unlockedServer(cloud: Cloud, request: FastifyRequest): ServerRecord {
  const server = findServer(cloud, pathId(request, "server"));
  if (cloud.actions.isLocked(serverQueue(server.id))) {
    throw locked("server");
  }
  return server;
}

export function startOnServer(
  cloud: Cloud,
  server: ServerRecord,
  command: string,
  task: Task,
  more: ActionView["resources"] = [],
): ActionView {
  const resources = [{ id: server.id, type: "server" }, ...more];
  return cloud.actions.view(cloud.actions.start({ command, resources, task, queue: serverQueue(server.id) }));
}

export function serverActionRoutes(app: FastifyInstance, cloud: Cloud): void {
  const unlocked = (request: FastifyRequest): ServerRecord => unlockedServer(cloud, request);
  const start = (server: ServerRecord, command: string, task: Task, more: ActionView["resources"] = []): ActionView =>
    startOnServer(cloud, server, command, task, more);
  const path = (name: string): string => `/servers/:id/actions/${name}`;

  for (const [name, { command, kind, meanwhile }] of Object.entries(power)) {
    app.post<Answers<ActionAnswer>>(path(name), (request, reply) => {
      body(nothing, request);
      const server = unlocked(request);
      const action = powerTask(server, kind);
      server.status = action.kind === "record" ? server.status : meanwhile;
      return created(reply, { action: start(server, command, action) });
    });
  }
  app.post<Answers<ActionAnswer>>(path("change_type"), (request, reply) => {
    const server = unlocked(request);
    const wanted = body(changeTypeRequest, request);
    const task = changeType(server, wanted.server_type, wanted.upgrade_disk);
    server.status = "migrating";
    return created(reply, { action: start(server, "change_server_type", task) });
  });
  app.post<Answers<RebuildAnswer>>(path("rebuild"), (request, reply) => {
    const server = unlocked(request);
    const wanted = body(rebuildRequest, request);
    if (server.protection.rebuild) {
      throw isProtected("server");
    }
    server.image = findImage(cloud, wanted.image, typeOf(server).architecture).id;
    server.userData = wanted.user_data ?? server.userData;
    server.status = "rebuilding";
    const action = start(server, "rebuild_server", { kind: "rebuild", server: server.id });
    return created(reply, { action, root_password: server.sshKeys.length === 0 ? rootPassword() : null });
  });
  app.post<Answers<CreateImageAnswer>>(path("create_image"), (request, reply) => {
    const server = unlocked(request);
    const image = newSnapshot(cloud, server, body(createImageRequest, request));
    const action = start(server, "create_image", { kind: "snapshot", server: server.id, image: image.id }, [
      { id: image.id, type: "image" },
    ]);
    return created(reply, { image: snapshotView(image), action });
  });
  app.post<Answers<ActionAnswer>>(path("change_protection"), (request, reply) => {
    const server = unlocked(request);
    const wanted = body(protectionRequest, request);
    const next = {
      delete: wanted.delete ?? server.protection.delete,
      rebuild: wanted.rebuild ?? server.protection.rebuild,
    };
    if (next.delete !== next.rebuild) {
      throw invalidField("rebuild", "delete and rebuild protection can only be set to the same value");
    }
    server.protection = next;
    return created(reply, { action: start(server, "change_protection", { kind: "record" }) });
  });
  app.post<Answers<ActionAnswer>>(path("change_dns_ptr"), (request, reply) => {
    const server = unlocked(request);
    const wanted = body(dnsPtrRequest, request);
    const ips = [ipOf(cloud, server, "ipv4"), ipOf(cloud, server, "ipv6")].filter((ip) => ip !== undefined);
    setDnsPtr(ips, wanted.ip, wanted.dns_ptr);
    return created(reply, { action: start(server, "change_dns_ptr", { kind: "record" }) });
  });
  for (const name of unsupported) {
    app.post(path(name), (request) => {
      findServer(cloud, pathId(request, "server"));
      throw notSimulated(name);
    });
  }
}

/** What there is to do: nothing when the server is on, or off, already. */
function powerTask(server: ServerRecord, kind: "start" | "powerOff" | "shutdown" | "reboot" | "reset"): Task {
  const off = server.status === "off";
  if (kind === "reboot" && off) {
    throw new ApiError(422, "unsupported_error", "server is powered off");
  }
  const done = kind === "start" ? !off : (kind === "powerOff" || kind === "shutdown") && off;
  return done ? { kind: "record" } : { kind, server: server.id };
}

function changeType(server: ServerRecord, key: number | string, upgradeDisk: boolean): Task {
  const type = byIdOrName(serverTypes, key);
  if (type === undefined) {
    throw notFound("server type", key);
  }
  if (server.status !== "off") {
    throw notStopped();
  }
  const fits =
    type.architecture === typeOf(server).architecture &&
    type.deprecation === null &&
    type.disk >= server.primaryDiskSize &&
    type.locations.some(({ name }) => name === server.location) &&
    type.id !== server.serverType;
  if (!fits) {
    throw new ApiError(422, "invalid_server_type", `server type ${type.name} does not fit the server`);
  }
  return { kind: "changeType", server: server.id, type: type.id, upgradeDisk };
}

function newSnapshot(cloud: Cloud, server: ServerRecord, wanted: z.infer<typeof createImageRequest>): SnapshotRecord {
  const backup = wanted.type === "backup";
  if (backup && (server.backupWindow ?? null) === null) {
    throw invalidField("type", "backups are not enabled for the server");
  }
  if (cloud.state.snapshots.length >= cloud.limits.snapshots) {
    throw limitExceeded("snapshot_limit");
  }
  const from = cloud.state.snapshots.find((image) => image.id === server.image);
  const created = timestamp(cloud.now());
  const image: SnapshotRecord = {
    id: cloud.store.newId(),
    description: wanted.description ?? `${backup ? "backup" : "snapshot"} of ${server.name} ${created}`,
    status: "creating",
    created,
    createdFrom: { id: server.id, name: server.name },
    boundTo: backup ? server.id : null,
    diskSize: server.primaryDiskSize,
    architecture: typeOf(server).architecture,
    osVersion: from?.osVersion ?? systemImages.find((system) => system.id === server.image)?.osVersion ?? null,
    labels: wanted.labels,
    protection: { delete: false },
  };
  cloud.state.snapshots.push(image);
  return image;
}

import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { byIdOrName, locations } from "../state/catalogue.ts";
import { type Cloud, findServer, serverQueue } from "../state/cloud.ts";
import { timestamp } from "../state/time.ts";
import { conflict, invalidField, isProtected, limitExceeded, notFound, notUnique } from "../wire/errors.ts";
import { answerList } from "../wire/listing.ts";
import type { VolumeRecord } from "../state/model.ts";
import { body, id, idOrName, labels, nothing, pathId, resourceName } from "../wire/requests.ts";
import { volumeView } from "../wire/views.ts";
import type { ActionAnswer, ActionView, Answers, CreateVolumeAnswer, ListAnswer, VolumeView } from "../wire/types.ts";
import { created } from "../wire/created.ts";

// Volumes are records only: no block device appears in the machine they are attached to.

const createRequest = z.strictObject({
  name: resourceName,
  size: z.int().min(10).max(10_240),
  server: id.nullish(),
  location: idOrName.nullish(),
  labels: labels.default({}),
  automount: z.boolean().optional(),
  format: z.enum(["ext4", "xfs"]).nullish(),
});
const updateRequest = z.strictObject({ name: resourceName.optional(), labels: labels.optional() });
const attachRequest = z.strictObject({ server: id, automount: z.boolean().optional() });
const resizeRequest = z.strictObject({ size: z.int().max(10_240) });
const protectionRequest = z.strictObject({ delete: z.boolean().optional() });

function find(cloud: Cloud, key: number): VolumeRecord {
  const volume = cloud.state.volumes.find((candidate) => candidate.id === key);
  if (volume === undefined) {
    throw notFound("volume", key);
  }
  return volume;
}

function checkName(cloud: Cloud, name: string, self?: number): void {
  if (cloud.state.volumes.some((volume) => volume.name === name && volume.id !== self)) {
    throw notUnique("name", "volume name is already used");
  }
}

function start(cloud: Cloud, volume: VolumeRecord, command: string, server: number | null): ActionView {
  const resources = [{ id: volume.id, type: "volume" }];
  if (server !== null) {
    resources.push({ id: server, type: "server" });
  }
  const queue = server === null ? `volume:${volume.id}` : serverQueue(server);
  return cloud.actions.view(
    cloud.actions.start({ command, resources, task: { kind: "record" }, queue, exclusive: server !== null }),
  );
}

function create(cloud: Cloud, request: z.infer<typeof createRequest>): CreateVolumeAnswer {
  checkName(cloud, request.name);
  const server = request.server == null ? undefined : findServer(cloud, request.server);
  if ((server === undefined) === (request.location == null)) {
    throw invalidField("location", "exactly one of location and server is required");
  }
  const location = byIdOrName(locations, server?.location ?? request.location ?? "");
  if (location === undefined) {
    throw notFound("location", request.location ?? "");
  }
  if (cloud.state.volumes.length >= cloud.limits.volumes) {
    throw limitExceeded("volume_limit");
  }
  const volume: VolumeRecord = {
    id: cloud.store.newId(),
    name: request.name,
    size: request.size,
    location: location.name,
    format: request.format ?? null,
    created: timestamp(cloud.now()),
    labels: request.labels,
    server: server?.id ?? null,
    protection: { delete: false },
  };
  cloud.state.volumes.push(volume);
  const action = start(cloud, volume, "create_volume", null);
  const next = server === undefined ? [] : [start(cloud, volume, "attach_volume", server.id)];
  return { volume: volumeView(volume), action, next_actions: next };
}

export function volumeRoutes(app: FastifyInstance, cloud: Cloud): void {
  app.get<Answers<ListAnswer<"volumes", VolumeView>>>("/volumes", (request, reply) =>
    answerList(request, reply, cloud.state.volumes, {
      key: "volumes",
      view: volumeView,
      filters: { name: ({ name }) => name, status: () => "available" },
      labels: (volume) => volume.labels,
      sorts: { id: (volume) => volume.id, name: ({ name }) => name, created: ({ created }) => created },
    }),
  );
  app.get<Answers<{ volume: VolumeView }>>("/volumes/:id", (request) => ({
    volume: volumeView(find(cloud, pathId(request, "volume"))),
  }));
  app.post<Answers<CreateVolumeAnswer>>("/volumes", (request, reply) =>
    created(reply, create(cloud, body(createRequest, request))),
  );
  app.put<Answers<{ volume: VolumeView }>>("/volumes/:id", (request) => {
    const volume = find(cloud, pathId(request, "volume"));
    const change = body(updateRequest, request);
    checkName(cloud, change.name ?? volume.name, volume.id);
    volume.name = change.name ?? volume.name;
    volume.labels = change.labels ?? volume.labels;
    cloud.store.save();
    return { volume: volumeView(volume) };
  });
  app.delete("/volumes/:id", (request, reply) => {
    const volume = find(cloud, pathId(request, "volume"));
    if (volume.protection.delete) {
      throw isProtected("volume");
    }
    if (volume.server !== null) {
      throw conflict("resource_in_use", "volume is attached to a server");
    }
    cloud.state.volumes = cloud.state.volumes.filter((other) => other !== volume);
    cloud.store.save();
    return reply.code(204).send();
  });

  const path = (name: string): string => `/volumes/:id/actions/${name}`;
  app.post<Answers<ActionAnswer>>(path("attach"), (request, reply) => {
    const volume = find(cloud, pathId(request, "volume"));
    const server = findServer(cloud, body(attachRequest, request).server);
    if (volume.server !== null) {
      throw conflict("volume_already_attached", "volume is already attached to a server");
    }
    if (volume.location !== server.location) {
      throw invalidField("server", "must be at the volume's location");
    }
    volume.server = server.id;
    return created(reply, { action: start(cloud, volume, "attach_volume", server.id) });
  });
  app.post<Answers<ActionAnswer>>(path("detach"), (request, reply) => {
    body(nothing, request);
    const volume = find(cloud, pathId(request, "volume"));
    const server = volume.server;
    volume.server = null;
    return created(reply, { action: start(cloud, volume, "detach_volume", server) });
  });
  app.post<Answers<ActionAnswer>>(path("resize"), (request, reply) => {
    const volume = find(cloud, pathId(request, "volume"));
    const { size } = body(resizeRequest, request);
    if (size <= volume.size) {
      throw invalidField("size", "must be greater than the volume's size");
    }
    volume.size = size;
    return created(reply, { action: start(cloud, volume, "resize_volume", null) });
  });
  app.post<Answers<ActionAnswer>>(path("change_protection"), (request, reply) => {
    const volume = find(cloud, pathId(request, "volume"));
    volume.protection = { delete: body(protectionRequest, request).delete ?? volume.protection.delete };
    return created(reply, { action: start(cloud, volume, "change_protection", null) });
  });
}

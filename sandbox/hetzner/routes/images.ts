import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { type SystemImage, systemImages } from "../state/catalogue.ts";
import { type Cloud, findServer } from "../state/cloud.ts";
import { ApiError, invalidField, isProtected, notFound, notSimulated } from "../wire/errors.ts";
import { answerList } from "../wire/listing.ts";
import type { SnapshotRecord } from "../state/model.ts";
import { body, labels, pathId } from "../wire/requests.ts";
import { snapshotName } from "../state/tasks.ts";
import { imageView, snapshotView, systemImageView } from "../wire/views.ts";
import type { ActionAnswer, Answers, ImageView, ListAnswer } from "../wire/types.ts";
import { created } from "../wire/created.ts";

const updateRequest = z.strictObject({
  description: z.string().optional(),
  type: z.literal("snapshot").optional(),
  labels: labels.optional(),
});
const protectionRequest = z.strictObject({ delete: z.boolean().optional() });

type Image = { readonly system: SystemImage } | { readonly snapshot: SnapshotRecord };

/** The value of a field that both kinds have under their own names. */
function pick(of: (system: SystemImage) => string, or: (snapshot: SnapshotRecord) => string): (image: Image) => string {
  return (image) => ("system" in image ? of(image.system) : or(image.snapshot));
}

/** System images belong to Hetzner: they can be neither changed nor deleted. */
function findSnapshot(cloud: Cloud, key: number): SnapshotRecord {
  const snapshot = cloud.state.snapshots.find((image) => image.id === key);
  if (snapshot !== undefined) {
    return snapshot;
  }
  if (systemImages.some((image) => image.id === key)) {
    throw new ApiError(403, "forbidden", "system images cannot be changed");
  }
  throw notFound("image", key);
}

export function imageRoutes(app: FastifyInstance, cloud: Cloud): void {
  app.get<Answers<ListAnswer<"images", ImageView>>>("/images", (request, reply) => {
    const all: Image[] = [
      ...systemImages.map((system) => ({ system })),
      ...cloud.state.snapshots.map((snapshot) => ({ snapshot })),
    ];
    return answerList(request, reply, all, {
      key: "images",
      view: (image) => ("system" in image ? systemImageView(image.system) : snapshotView(image.snapshot)),
      filters: {
        name: pick(
          ({ name }) => name,
          () => "",
        ),
        type: pick(
          () => "system",
          (snapshot) => snapshotView(snapshot).type,
        ),
        bound_to: pick(
          () => "",
          ({ boundTo }) => String(boundTo ?? ""),
        ),
        status: pick(
          () => "available",
          ({ status }) => status,
        ),
        architecture: pick(
          ({ architecture }) => architecture,
          ({ architecture }) => architecture,
        ),
      },
      labels: (image) => ("system" in image ? {} : image.snapshot.labels),
      sorts: {
        id: (image) => ("system" in image ? image.system.id : image.snapshot.id),
        name: pick(
          ({ name }) => name,
          () => "",
        ),
        created: pick(
          ({ created }) => created,
          ({ created }) => created,
        ),
      },
    });
  });
  singleImageRoutes(app, cloud);
}

function singleImageRoutes(app: FastifyInstance, cloud: Cloud): void {
  app.get<Answers<{ image: ImageView }>>("/images/:id", (request) => {
    const key = pathId(request, "image");
    const image = imageView(cloud, key);
    if (image === undefined) {
      throw notFound("image", key);
    }
    return { image };
  });
  app.put<Answers<{ image: ImageView }>>("/images/:id", (request) => {
    const image = findSnapshot(cloud, pathId(request, "image"));
    const change = body(updateRequest, request);
    image.description = change.description ?? image.description;
    image.labels = change.labels ?? image.labels;
    image.boundTo = change.type === "snapshot" ? null : (image.boundTo ?? null);
    cloud.store.save();
    return { image: snapshotView(image) };
  });
  app.delete("/images/:id", async (request, reply) => {
    const image = findSnapshot(cloud, pathId(request, "image"));
    if (image.protection.delete) {
      throw isProtected("image");
    }
    if (image.status === "creating") {
      throw new ApiError(423, "locked", "image is being created");
    }
    cloud.state.snapshots = cloud.state.snapshots.filter((other) => other !== image);
    cloud.store.save();
    await cloud.machines.removeSnapshot(snapshotName(image.id));
    return reply.code(204).send();
  });
  app.post<Answers<ActionAnswer>>("/images/:id/actions/change_protection", (request, reply) => {
    const image = findSnapshot(cloud, pathId(request, "image"));
    const wanted = body(protectionRequest, request);
    if ((image.boundTo ?? null) !== null) {
      throw invalidField("id", "backups cannot be protected");
    }
    image.protection = { delete: wanted.delete ?? image.protection.delete };
    const action = cloud.actions.start({
      command: "change_protection",
      resources: [{ id: image.id, type: "image" }],
      task: { kind: "record" },
      queue: `image:${image.id}`,
    });
    return created(reply, { action: cloud.actions.view(action) });
  });
  app.get("/servers/:id/metrics", (request) => {
    findServer(cloud, pathId(request, "server"));
    throw notSimulated("metrics");
  });
}

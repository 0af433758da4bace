import type { FastifyInstance } from "fastify";
import { z } from "zod";

import type { Cloud } from "../state/cloud.ts";
import type { ServerRecord, Task } from "../state/model.ts";
import { passwords } from "../state/tasks.ts";
import { ApiError, notFound } from "../wire/errors.ts";
import { body, id, nothing } from "../wire/requests.ts";
import type { ActionAnswer, Answers, PasswordAnswer } from "../wire/types.ts";
import { startOnServer, unlockedServer } from "./server-actions.ts";
import { rootPassword } from "./server-orders.ts";
import { created } from "../wire/created.ts";

const rescueRequest = z.strictObject({
  type: z.literal("linux64").default("linux64"),
  ssh_keys: z.array(id).default([]),
});

/** Rescue mode that is not used ends by itself. */
const rescueMs = 60 * 60 * 1000;

/** Hetzner picks one of these for each server; here its id decides. */
const backupWindows = ["22-02", "02-06", "06-10", "10-14", "14-18", "18-22"] as const;

/** Rescue mode, backups, root password. */
export function serverMaintenanceRoutes(app: FastifyInstance, cloud: Cloud): void {
  const record: Task = { kind: "record" };
  const path = (name: string): string => `/servers/:id/actions/${name}`;

  app.post<Answers<PasswordAnswer>>(path("enable_rescue"), (request, reply) => {
    const server = unlockedServer(cloud, request);
    for (const key of body(rescueRequest, request).ssh_keys) {
      if (!cloud.state.sshKeys.some((candidate) => candidate.id === key)) {
        throw notFound("SSH key", key);
      }
    }
    server.rescueUntil = cloud.now() + rescueMs;
    const action = startOnServer(cloud, server, "enable_rescue", record);
    return created(reply, { action, root_password: rootPassword() });
  });
  app.post<Answers<ActionAnswer>>(path("disable_rescue"), (request, reply) => {
    body(nothing, request);
    const server = unlockedServer(cloud, request);
    server.rescueUntil = null;
    return created(reply, { action: startOnServer(cloud, server, "disable_rescue", record) });
  });
  app.post<Answers<ActionAnswer>>(path("enable_backup"), (request, reply) => {
    body(nothing, request);
    const server = unlockedServer(cloud, request);
    server.backupWindow ??= backupWindows[server.id % backupWindows.length] ?? backupWindows[0];
    return created(reply, { action: startOnServer(cloud, server, "enable_backup", record) });
  });
  app.post<Answers<ActionAnswer>>(path("disable_backup"), (request, reply) => {
    body(nothing, request);
    const server = unlockedServer(cloud, request);
    const task: Task = { kind: "disableBackup", server: server.id };
    return created(reply, { action: startOnServer(cloud, server, "disable_backup", task) });
  });
  app.post<Answers<PasswordAnswer>>(path("reset_password"), (request, reply) => {
    body(nothing, request);
    const server = unlockedServer(cloud, request);
    return created(reply, resetPassword(cloud, server));
  });
}

/** The password is set from inside, as Hetzner's guest agent does, so the server must be running. */
function resetPassword(cloud: Cloud, server: ServerRecord): PasswordAnswer {
  if (server.status !== "running") {
    throw new ApiError(422, "unsupported_error", "server must be running");
  }
  const task: Task = { kind: "resetPassword", server: server.id };
  const password = rootPassword();
  passwords.set(task, password);
  return { action: startOnServer(cloud, server, "reset_password", task), root_password: password };
}

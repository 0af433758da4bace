import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { type Cloud, findServer, forgetServer, serverQueue } from "../state/cloud.ts";
import { timestamp } from "../state/time.ts";
import { isProtected, locked } from "../wire/errors.ts";
import { pushFirewall } from "./firewalls.ts";
import { answerList } from "../wire/listing.ts";
import type { ServerRecord } from "../state/model.ts";
import { newPrimaryIp } from "./primary-ips.ts";
import { body, hostname, labels, pathId } from "../wire/requests.ts";
import { checkServerName, createRequest, type CreateRequest, resolveOrder, rootPassword } from "./server-orders.ts";
import { serverView } from "../wire/views.ts";
import type { ActionAnswer, Answers, CreateServerAnswer, ListAnswer, ServerView } from "../wire/types.ts";
import { created } from "../wire/created.ts";

const updateRequest = z.strictObject({ name: hostname.optional(), labels: labels.optional() });

function createServer(cloud: Cloud, request: CreateRequest): CreateServerAnswer {
  const { store, state, actions } = cloud;
  const { keys, firewalls, volumes, type, location, image, own4, own6 } = resolveOrder(cloud, request);
  const server: ServerRecord = {
    id: store.newId(),
    name: request.name,
    status: "initializing",
    created: timestamp(cloud.now()),
    serverType: type.id,
    location,
    image,
    labels: request.labels,
    protection: { delete: false, rebuild: false },
    userData: request.user_data,
    sshKeys: keys,
    primaryDiskSize: type.disk,
    machine: null,
    startAfterCreate: request.start_after_create,
  };
  state.servers.push(server);
  try {
    (own4 ?? newPrimaryIp(cloud, { type: "ipv4", location, autoDelete: true })).assignee = server.id;
    if (request.public_net.enable_ipv6 || own6 !== undefined) {
      (own6 ?? newPrimaryIp(cloud, { type: "ipv6", location, autoDelete: true })).assignee = server.id;
    }
  } catch (error) {
    forgetServer(cloud, server.id);
    throw error;
  }
  for (const firewall of new Set(firewalls)) {
    firewall.appliedTo = [...firewall.appliedTo, { type: "server", server: server.id }];
  }
  for (const volume of volumes) {
    volume.server = server.id;
  }
  const shared = { resources: [{ id: server.id, type: "server" }], queue: serverQueue(server.id) };
  const action = actions.start({ command: "create_server", task: { kind: "create", server: server.id }, ...shared });
  const next = server.startAfterCreate
    ? [actions.start({ command: "start_server", task: { kind: "booted", server: server.id }, ...shared })]
    : [];
  return {
    server: serverView(cloud, server),
    action: actions.view(action),
    next_actions: next.map((started) => actions.view(started)),
    root_password: keys.length === 0 ? rootPassword() : null,
  };
}

export function serverRoutes(app: FastifyInstance, cloud: Cloud): void {
  app.get<Answers<ListAnswer<"servers", ServerView>>>("/servers", (request, reply) =>
    answerList(request, reply, cloud.state.servers, {
      key: "servers",
      view: (server) => serverView(cloud, server),
      filters: { name: (server) => server.name, status: (server) => server.status },
      labels: (server) => server.labels,
      sorts: { id: ({ id }) => id, name: ({ name }) => name, created: ({ created }) => created },
    }),
  );
  app.get<Answers<{ server: ServerView }>>("/servers/:id", (request) => ({
    server: serverView(cloud, findServer(cloud, pathId(request, "server"))),
  }));
  app.post<Answers<CreateServerAnswer>>("/servers", (request, reply) => {
    const answer = createServer(cloud, body(createRequest, request));
    return created(reply, answer);
  });
  app.put<Answers<{ server: ServerView }>>("/servers/:id", (request) => {
    const server = findServer(cloud, pathId(request, "server"));
    const change = body(updateRequest, request);
    checkServerName(cloud, change.name ?? server.name, server.id);
    server.name = change.name ?? server.name;
    if (change.labels !== undefined) {
      server.labels = change.labels;
      // A label selector may now match, or no longer.
      pushFirewall(cloud, server.id);
    }
    cloud.store.save();
    return { server: serverView(cloud, server) };
  });
  app.delete<Answers<ActionAnswer>>("/servers/:id", (request) => {
    const server = findServer(cloud, pathId(request, "server"));
    if (server.protection.delete) {
      throw isProtected("server");
    }
    if (cloud.actions.isLocked(serverQueue(server.id))) {
      throw locked("server");
    }
    server.status = "deleting";
    const action = cloud.actions.start({
      command: "delete_server",
      resources: [{ id: server.id, type: "server" }],
      task: { kind: "remove", server: server.id },
      queue: serverQueue(server.id),
    });
    return { action: cloud.actions.view(action) };
  });
}

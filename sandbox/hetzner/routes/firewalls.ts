import type { FastifyInstance } from "fastify";
import { z } from "zod";

import { type Cloud, findServer, isTargeted, serverQueue } from "../state/cloud.ts";
import { timestamp } from "../state/time.ts";
import { ApiError, limitExceeded, notFound, notUnique, unprocessable } from "../wire/errors.ts";
import { parseSelector } from "../wire/labels.ts";
import { answerList } from "../wire/listing.ts";
import type { FirewallRecord, FirewallTarget, StoredRule } from "../state/model.ts";
import { body, firewallRule, id, labels, pathId, resourceName } from "../wire/requests.ts";
import { firewallView } from "../wire/views.ts";
import type {
  ActionView,
  ActionsAnswer,
  Answers,
  CreateFirewallAnswer,
  FirewallView,
  ListAnswer,
} from "../wire/types.ts";
import { created } from "../wire/created.ts";

const target = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("server"), server: z.strictObject({ id }), label_selector: z.null().optional() }),
  z.strictObject({
    type: z.literal("label_selector"),
    label_selector: z.strictObject({ selector: z.string().min(1) }),
    server: z.null().optional(),
    // What a client read it sends back: the Terraform provider does so when it removes.
    applied_to_resources: z.array(z.unknown()).nullish(),
  }),
]);
const targets = z.array(target);
const rules = z.array(firewallRule).max(50);

const createRequest = z.strictObject({
  name: resourceName,
  labels: labels.default({}),
  rules: rules.nullish(),
  apply_to: targets.nullish(),
});
const updateRequest = z.strictObject({ name: resourceName.optional(), labels: labels.optional() });
const setRulesRequest = z.strictObject({ rules });
const applyRequest = z.strictObject({ apply_to: targets.min(1) });
const removeRequest = z.strictObject({ remove_from: targets.min(1) });

/** Queues the rules of a server to be put in force, whatever they are when its turn comes. Not exclusive. */
export function pushFirewall(cloud: Cloud, server: number, command = "apply_firewall", firewall?: number): ActionView {
  const resources = [{ id: server, type: "server" }];
  if (firewall !== undefined) {
    resources.push({ id: firewall, type: "firewall" });
  }
  return cloud.actions.view(
    cloud.actions.start({
      command,
      resources,
      task: { kind: "firewall", server },
      queue: serverQueue(server),
      exclusive: false,
    }),
  );
}

function find(cloud: Cloud, key: number): FirewallRecord {
  const firewall = cloud.state.firewalls.find((candidate) => candidate.id === key);
  if (firewall === undefined) {
    throw notFound("firewall", key);
  }
  return firewall;
}

function checkName(cloud: Cloud, name: string, self?: number): void {
  if (cloud.state.firewalls.some((firewall) => firewall.name === name && firewall.id !== self)) {
    throw notUnique("name", "firewall name is already used");
  }
}

function stored(wanted: z.infer<typeof rules>): StoredRule[] {
  return wanted.map(({ direction, protocol, port, source_ips, destination_ips, description }) => ({
    direction,
    protocol,
    ...(port == null ? {} : { port }),
    cidrs: (direction === "in" ? source_ips : destination_ips) ?? [],
    description: description ?? null,
  }));
}

/** The targets as they are kept, each checked to exist; a creation answers 422 for one that does not. */
function resolve(cloud: Cloud, wanted: z.infer<typeof targets>, absent = 404): FirewallTarget[] {
  return wanted.map((item) => {
    if (item.type === "label_selector") {
      parseSelector(item.label_selector.selector);
      return { type: "label_selector", selector: item.label_selector.selector };
    }
    if (!cloud.state.servers.some((server) => server.id === item.server.id)) {
      throw new ApiError(absent, "firewall_resource_not_found", `server with ID '${item.server.id}' not found`);
    }
    return { type: "server", server: item.server.id };
  });
}

function isSame(a: FirewallTarget, b: FirewallTarget): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function serversOf(cloud: Cloud, list: readonly FirewallTarget[]): number[] {
  return cloud.state.servers.filter((server) => list.some((item) => isTargeted(item, server))).map((found) => found.id);
}

/** One action a server reached by `list`; a selector that reaches none gives one that has nothing to do. */
function pushAll(
  cloud: Cloud,
  firewall: FirewallRecord,
  list: readonly FirewallTarget[],
  command: string,
): ActionView[] {
  return serversOf(cloud, list).map((server) => pushFirewall(cloud, server, command, firewall.id));
}

function setRulesAction(cloud: Cloud, firewall: FirewallRecord): ActionView {
  const action = cloud.actions.start({
    command: "set_firewall_rules",
    resources: [{ id: firewall.id, type: "firewall" }],
    task: { kind: "record" },
    queue: `firewall:${firewall.id}`,
    exclusive: false,
  });
  return cloud.actions.view(action);
}

function create(cloud: Cloud, request: z.infer<typeof createRequest>): CreateFirewallAnswer {
  checkName(cloud, request.name);
  if (cloud.state.firewalls.length >= cloud.limits.firewalls) {
    throw limitExceeded("firewall_limit");
  }
  const appliedTo = resolve(cloud, request.apply_to ?? [], 422);
  const firewall: FirewallRecord = {
    id: cloud.store.newId(),
    name: request.name,
    created: timestamp(cloud.now()),
    labels: request.labels,
    rules: stored(request.rules ?? []),
    appliedTo,
  };
  cloud.state.firewalls.push(firewall);
  cloud.store.save();
  const actions = [setRulesAction(cloud, firewall), ...pushAll(cloud, firewall, appliedTo, "apply_firewall")];
  return { firewall: firewallView(cloud, firewall), actions };
}

function apply(cloud: Cloud, firewall: FirewallRecord, wanted: z.infer<typeof targets>): ActionsAnswer {
  const list = resolve(cloud, wanted);
  if (list.some((item) => firewall.appliedTo.some((old) => isSame(item, old)))) {
    throw unprocessable("firewall_already_applied", "firewall is already applied to the resource");
  }
  firewall.appliedTo = [...firewall.appliedTo, ...list];
  cloud.store.save();
  return { actions: pushAll(cloud, firewall, list, "apply_firewall") };
}

/** What is not applied any more is no error since August 2025 (`firewall_already_removed` left the API). */
function removeFrom(cloud: Cloud, firewall: FirewallRecord, wanted: z.infer<typeof targets>): ActionsAnswer {
  const list = resolve(cloud, wanted);
  const kept = firewall.appliedTo.filter((old) => !list.some((item) => isSame(item, old)));
  for (const item of list) {
    const server = item.type === "server" ? findServer(cloud, item.server) : undefined;
    if (server !== undefined && kept.some((old) => old.type === "label_selector" && isTargeted(old, server))) {
      throw unprocessable("firewall_managed_by_label_selector", "firewall is applied through a label selector");
    }
  }
  firewall.appliedTo = kept;
  cloud.store.save();
  return { actions: pushAll(cloud, firewall, list, "remove_firewall") };
}

export function firewallRoutes(app: FastifyInstance, cloud: Cloud): void {
  app.get<Answers<ListAnswer<"firewalls", FirewallView>>>("/firewalls", (request, reply) =>
    answerList(request, reply, cloud.state.firewalls, {
      key: "firewalls",
      view: (firewall) => firewallView(cloud, firewall),
      filters: { name: ({ name }) => name },
      labels: (firewall) => firewall.labels,
      sorts: { id: (firewall) => firewall.id, name: ({ name }) => name, created: ({ created }) => created },
    }),
  );
  app.get<Answers<{ firewall: FirewallView }>>("/firewalls/:id", (request) => ({
    firewall: firewallView(cloud, find(cloud, pathId(request, "firewall"))),
  }));
  app.post<Answers<CreateFirewallAnswer>>("/firewalls", (request, reply) =>
    created(reply, create(cloud, body(createRequest, request))),
  );
  app.put<Answers<{ firewall: FirewallView }>>("/firewalls/:id", (request) => {
    const firewall = find(cloud, pathId(request, "firewall"));
    const change = body(updateRequest, request);
    checkName(cloud, change.name ?? firewall.name, firewall.id);
    firewall.name = change.name ?? firewall.name;
    firewall.labels = change.labels ?? firewall.labels;
    cloud.store.save();
    return { firewall: firewallView(cloud, firewall) };
  });
  app.delete("/firewalls/:id", (request, reply) => {
    const firewall = find(cloud, pathId(request, "firewall"));
    if (firewall.appliedTo.length > 0) {
      throw unprocessable("resource_in_use", "firewall is still applied to a resource");
    }
    cloud.state.firewalls = cloud.state.firewalls.filter((other) => other !== firewall);
    cloud.store.save();
    return reply.code(204).send();
  });

  const path = (name: string): string => `/firewalls/:id/actions/${name}`;
  app.post<Answers<ActionsAnswer>>(path("set_rules"), (request, reply) => {
    const firewall = find(cloud, pathId(request, "firewall"));
    firewall.rules = stored(body(setRulesRequest, request).rules);
    cloud.store.save();
    const pushed = pushAll(cloud, firewall, firewall.appliedTo, "apply_firewall");
    return created(reply, { actions: [setRulesAction(cloud, firewall), ...pushed] });
  });
  app.post<Answers<ActionsAnswer>>(path("apply_to_resources"), (request, reply) => {
    const firewall = find(cloud, pathId(request, "firewall"));
    return created(reply, apply(cloud, firewall, body(applyRequest, request).apply_to));
  });
  app.post<Answers<ActionsAnswer>>(path("remove_from_resources"), (request, reply) => {
    const firewall = find(cloud, pathId(request, "firewall"));
    return created(reply, removeFrom(cloud, firewall, body(removeRequest, request).remove_from));
  });
}

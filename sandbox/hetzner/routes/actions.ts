import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { removed } from "./catalogue.ts";
import type { Cloud } from "../state/cloud.ts";
import { notFound } from "../wire/errors.ts";
import { answerList } from "../wire/listing.ts";
import type { ActionRecord } from "../state/model.ts";
import { pathId } from "../wire/requests.ts";
import type { ActionAnswer, ActionsAnswer, ActionView, Answers, ListAnswer } from "../wire/types.ts";

type ActionList = ListAnswer<"actions", ActionView>;

/** Path of a kind of resource → its `type` in an action's `resources`. */
const kinds = {
  servers: "server",
  primary_ips: "primary_ip",
  firewalls: "firewall",
  images: "image",
  volumes: "volume",
};

/** Reading actions: of the project by id, of a kind of resource, of one resource. */
export function actionRoutes(app: FastifyInstance, cloud: Cloud): void {
  const answer = (request: FastifyRequest, reply: FastifyReply, actions: readonly ActionRecord[]): ActionList =>
    answerList(request, reply, actions, {
      key: "actions",
      view: (action) => cloud.actions.view(action),
      filters: { id: ({ id }) => String(id), status: ({ status }) => status },
      sorts: {
        id: ({ id }) => id,
        command: ({ command }) => command,
        status: ({ status }) => status,
        started: ({ started }) => started,
        finished: ({ finished }) => finished ?? "",
      },
    });
  const one = (request: FastifyRequest, parameter: string, actions: readonly ActionRecord[]): ActionAnswer => {
    const key = pathId(request, "action", parameter);
    const action = actions.find(({ id }) => id === key);
    if (action === undefined) {
      throw notFound("action", key);
    }
    return { action: cloud.actions.view(action) };
  };
  const of = (type: string, id?: number): ActionRecord[] =>
    cloud.state.actions.filter(({ resources }) =>
      resources.some((resource) => resource.type === type && (id === undefined || resource.id === id)),
    );

  // Listing all of a project's actions was removed in January 2025; they can still be requested by id, without pages.
  app.get<Answers<ActionsAnswer>>("/actions", (request) => {
    if ((request.query as { id?: unknown }).id === undefined) {
      throw removed("2025-01-30-listing-arbitrary-actions-in-the-actions-list-endpoint-is-removed");
    }
    const wanted = [(request.query as { id: string | string[] }).id].flat();
    const found = cloud.state.actions.filter((action) => wanted.includes(String(action.id)));
    return { actions: found.map((action) => cloud.actions.view(action)) };
  });
  app.get<Answers<ActionAnswer>>("/actions/:id", (request) => one(request, "id", cloud.state.actions));
  for (const [path, type] of Object.entries(kinds)) {
    app.get<Answers<ActionList>>(`/${path}/actions`, (request, reply) => answer(request, reply, of(type)));
    app.get<Answers<ActionAnswer>>(`/${path}/actions/:id`, (request) => one(request, "id", of(type)));
    app.get<Answers<ActionList>>(`/${path}/:id/actions`, (request, reply) =>
      answer(request, reply, of(type, pathId(request, type))),
    );
    app.get<Answers<ActionAnswer>>(`/${path}/:id/actions/:action`, (request) =>
      one(request, "action", of(type, pathId(request, type))),
    );
  }
}

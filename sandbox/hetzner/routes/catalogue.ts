import type { FastifyInstance } from "fastify";

import { locations, serverTypes } from "../state/catalogue.ts";
import type { Cloud } from "../state/cloud.ts";
import { ApiError, notFound, notSimulated } from "../wire/errors.ts";
import { answerList } from "../wire/listing.ts";
import { pathId } from "../wire/requests.ts";
import { pricingView, serverTypeView } from "../wire/views.ts";
import type { Answers, ListAnswer, LocationView, PricingView, ServerTypeView } from "../wire/types.ts";

/** Resources that exist at Hetzner and not here: lists are empty, nothing can be made. */
const absent = [
  ["networks", "network"],
  ["placement_groups", "placement group"],
  ["load_balancers", "load balancer"],
  ["load_balancer_types", "load balancer type"],
  ["certificates", "certificate"],
  ["floating_ips", "floating IP"],
  ["isos", "ISO"],
] as const;

function find<T extends { readonly id: number }>(items: readonly T[], what: string, id: number): T {
  const item = items.find((candidate) => candidate.id === id);
  if (item === undefined) {
    throw notFound(what, id);
  }
  return item;
}

/** Server types, locations, prices: what Hetzner sells, and what the sandbox leaves out. */
export function catalogueRoutes(app: FastifyInstance, cloud: Cloud): void {
  app.get<Answers<ListAnswer<"server_types", ServerTypeView>>>("/server_types", (request, reply) =>
    answerList(request, reply, serverTypes, {
      key: "server_types",
      view: (type) => serverTypeView(cloud, type),
      filters: { name: ({ name }) => name },
      sorts: { id: ({ id }) => id, name: ({ name }) => name },
    }),
  );
  app.get<Answers<{ server_type: ServerTypeView }>>("/server_types/:id", (request) => ({
    server_type: serverTypeView(cloud, find(serverTypes, "server type", pathId(request, "server type"))),
  }));
  app.get<Answers<ListAnswer<"locations", LocationView>>>("/locations", (request, reply) =>
    answerList(request, reply, locations, {
      key: "locations",
      view: (location) => location,
      filters: { name: ({ name }) => name },
      sorts: { id: ({ id }) => id, name: ({ name }) => name },
    }),
  );
  app.get<Answers<{ location: LocationView }>>("/locations/:id", (request) => ({
    location: find(locations, "location", pathId(request, "location")),
  }));
  for (const path of ["/datacenters", "/datacenters/:id"]) {
    app.get(path, () => {
      throw removed("2026-06-02-datacenters-deprecated");
    });
  }
  app.get<Answers<{ pricing: PricingView }>>("/pricing", () => ({ pricing: pricingView() }));
  for (const [key, what] of absent) {
    app.get(`/${key}`, (request, reply) =>
      answerList<string, never, object>(request, reply, [], {
        key,
        view: (item) => item,
        sorts: { id: () => 0, name: () => 0 },
      }),
    );
    app.get(`/${key}/:id`, (request) => find([], what, pathId(request, what)));
    app.post(`/${key}`, () => {
      throw notSimulated(`a ${what}`);
    });
  }
}

/** 410 for what left the API: datacenters did after 1 October 2026 (hcloud-python pull 656). */
export function removed(announcement: string): ApiError {
  return new ApiError(410, "deprecated_api_endpoint", "API functionality was removed", {
    announcement: `https://docs.hetzner.cloud/changelog#${announcement}`,
  });
}

import type { FastifyInstance } from "fastify";

import { locations, serverTypes } from "../state/catalogue.ts";
import type { Cloud } from "../state/cloud.ts";
import { ApiError, notFound, notSimulated } from "../wire/errors.ts";
import { answerList } from "../wire/listing.ts";
import { pathId } from "../wire/requests.ts";
import { pricesView, serverTypeView } from "../wire/views.ts";

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
  app.get("/server_types", (request, reply) =>
    answerList(request, reply, serverTypes, {
      key: "server_types",
      view: (type) => serverTypeView(cloud, type),
      filters: { name: ({ name }) => name },
      sorts: { id: ({ id }) => id, name: ({ name }) => name },
    }),
  );
  app.get("/server_types/:id", (request) => ({
    server_type: serverTypeView(cloud, find(serverTypes, "server type", pathId(request, "server type"))),
  }));
  app.get("/locations", (request, reply) =>
    answerList(request, reply, locations, {
      key: "locations",
      view: (location) => location,
      filters: { name: ({ name }) => name },
      sorts: { id: ({ id }) => id, name: ({ name }) => name },
    }),
  );
  app.get("/locations/:id", (request) => ({ location: find(locations, "location", pathId(request, "location")) }));
  for (const path of ["/datacenters", "/datacenters/:id"]) {
    app.get(path, () => {
      throw removed("2026-06-02-datacenters-deprecated");
    });
  }
  app.get("/pricing", () => ({
    pricing: {
      currency: "EUR",
      vat_rate: "19.00",
      server_types: serverTypes.map((type) => ({ id: type.id, name: type.name, prices: pricesView(type) })),
      primary_ips: [],
      floating_ips: [],
      load_balancer_types: [],
      server_backup: { percentage: "20.00" },
      image: { price_per_gb_month: { net: "0.0110000000", gross: "0.0130900000000000" } },
      volume: { price_per_gb_month: { net: "0.0440000000", gross: "0.0523600000000000" } },
    },
  }));
  for (const [key, what] of absent) {
    app.get(`/${key}`, (request, reply) =>
      answerList<never>(request, reply, [], { key, view: (item) => item, sorts: { id: () => 0, name: () => 0 } }),
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

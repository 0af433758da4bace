import { describe, expect, test } from "@jest/globals";
import { labelled, removeLeftovers, removeUnknown } from "../../../../ops/deletion/hetzner-leftovers.ts";
import {
  type Labelled,
  leftoverFault,
  monthly,
  price,
  type Prices,
  destroyFix,
  sortLeftovers,
  sortUnknown,
} from "../../../../ops/deletion/leftovers.ts";
import { OperatorError } from "../../../../shared/errors.ts";

const server: Labelled = { collection: "servers", id: "1", name: "vpai-prod", type: "cx33", location: "fsn1" };
const address: Labelled = { collection: "primary_ips", id: "2", name: "vpai-prod", type: "ipv4", location: "fsn1" };
const volume: Labelled = { collection: "volumes", id: "3", name: "data", location: "fsn1", sizeGb: 50 };
const key: Labelled = { collection: "ssh_keys", id: "4", name: "vpai-prod" };
const prices: Prices = {
  currency: "EUR",
  servers: { "cx33 at fsn1": 5.49 },
  primaryIps: { "ipv4 at fsn1": 0.5 },
  volumeGb: 0.044,
  imageGb: 0.011,
};

test.each<[Labelled, string]>([
  [server, "5.49 EUR a month"],
  [{ ...server, location: "hel1" }, "price unknown"],
  [address, "0.50 EUR a month"],
  [volume, "2.20 EUR a month"],
  [{ ...volume, collection: "images" }, "0.55 EUR a month"],
  [key, "free"],
  [{ ...key, collection: "load_balancers" }, "price unknown"],
])("the price of %j", (thing, text) => {
  expect(price(monthly(thing, prices), prices.currency)).toBe(text);
});

test.each<[string, Labelled[], string[], boolean, string[], string[]]>([
  ["what the state knew goes", [address, server], ["servers 1", "primary_ips 2"], false, ["1", "2"], []],
  ["what has no data goes", [key, address], [], false, ["2", "4"], []],
  [
    "a server that it did not know stays, with its address and key",
    [server, address, key],
    [],
    false,
    [],
    ["1", "2", "4"],
  ],
  ["a volume that it did not know stays", [volume, address], [], false, ["2"], ["3"]],
  ["on request everything goes, the server first", [key, address, volume, server], [], true, ["1", "3", "2", "4"], []],
])("%s", (_, found, known, everything, removed, kept) => {
  const { remove, keep } = sortLeftovers(found, new Set(known), everything);
  expect({ remove: remove.map(({ id }) => id), keep: keep.map(({ id }) => id) }).toEqual({
    remove: removed,
    keep: kept,
  });
});

test.each<[string, Labelled[], string[], string[], string[]]>([
  ["what the state knows is not touched", [server, address, key], ["servers 1", "primary_ips 2", "ssh_keys 4"], [], []],
  ["what has no data goes", [server, address, key], ["servers 1"], ["2", "4"], []],
  ["an address in use by its server stays", [{ ...address, assignedTo: "1" }, key], ["servers 1"], ["4"], ["2"]],
  ["a server with data stays, with what may be its own", [server, address], [], [], ["1", "2"]],
  ["a volume stays", [volume, address], ["primary_ips 2"], [], ["3"]],
])("of a stack that stays: %s", (_, found, known, removed, kept) => {
  const { remove, keep } = sortUnknown(found, new Set(known));
  expect({ remove: remove.map(({ id }) => id), keep: keep.map(({ id }) => id) }).toEqual({
    remove: removed,
    keep: kept,
  });
});

test("the failure lists what is left, with its price", () => {
  const left = [
    { thing: server, why: "the stack's state does not know it" },
    { thing: address, why: "409 conflict" },
  ];
  expect(new OperatorError(leftoverFault("prod", left, prices, destroyFix("prod"))).message)
    .toBe(`Hetzner, label vpai-stack=prod: 2 left behind, 5.99 EUR a month in all:
    - server vpai-prod (id 1), 5.49 EUR a month: the stack's state does not know it
    - primary IP vpai-prod (id 2), 0.50 EUR a month: 409 conflict
  allowed: nothing, after this command
  do: run \`vpai destroy --stack prod --allow-delete prod\`, which deletes everything that carries the label, or delete them in Hetzner's console`);
});

/** A Hetzner with one address; `refuse` answers the first deletions. */
function api(refuse: readonly [number, string][]) {
  const calls: string[] = [];
  let [there, refused, guarded] = [true, 0, true];
  const json = (status: number, body: unknown): Response => new Response(JSON.stringify(body), { status });
  const request: typeof fetch = (input, init) => {
    const path = String(input instanceof Request ? input.url : input).replace("http://api/v1", "");
    const call = `${init?.method ?? "GET"} ${path.replace(/\?.*/, "")}`;
    if (!call.startsWith("GET")) calls.push(call);
    const collection = path.slice(1).split(/[?/]/)[0] ?? "";
    if (call === "DELETE /primary_ips/2") {
      const refusal = refuse[refused++];
      if (refusal) return Promise.resolve(json(refusal[0], { error: { code: refusal[1] } }));
      if (guarded) return Promise.resolve(json(403, { error: { code: "protected" } }));
      there = false;
      return Promise.resolve(new Response(null, { status: 204 }));
    }
    if (call.endsWith("change_protection")) {
      guarded = false;
      return Promise.resolve(json(201, { action: {} }));
    }
    if (call === "GET /primary_ips/2") return Promise.resolve(json(there ? 200 : 404, {}));
    const entry = {
      id: 2,
      name: "vpai-prod",
      type: "ipv4",
      labels: { "vpai-stack": "prod" },
      location: { name: "fsn1" },
    };
    return Promise.resolve(json(200, { [collection]: collection === "primary_ips" && there ? [entry] : [] }));
  };
  return { access: { endpoint: "http://api/v1", token: "t", request, pause: () => Promise.resolve() }, calls };
}

describe("at the API", () => {
  const quick = { ms: 200, everyMs: 1 };
  const enough = { ms: 60_000, everyMs: 1 };

  test("an address that was left is found, with what its price needs", async () => {
    expect(await labelled(api([]).access, "prod")).toEqual([address]);
  });

  test("it is deleted although it is protected there and the API was busy, or out of order, at first", async () => {
    const { access, calls } = api([
      [500, "service_error"],
      [423, "locked"],
    ]);
    const lines: string[] = [];
    await removeLeftovers(access, "prod", new Set(), false, (line) => lines.push(line), enough);
    expect(lines).toEqual(["removing primary IP vpai-prod (id 2): it carries the stack's label and was left behind"]);
    expect(calls).toContain("POST /primary_ips/2/actions/change_protection");
    expect(await labelled(access, "prod")).toEqual([]);
  });

  test("of a stack that stays, what the state knows is not touched, and the rest goes", async () => {
    const { access, calls } = api([]);
    await removeUnknown(access, "prod", new Set(["primary_ips 2"]), () => undefined, enough);
    expect(calls).toEqual([]);
    await removeUnknown(access, "prod", new Set(), () => undefined, enough);
    expect(await labelled(access, "prod")).toEqual([]);
  });

  test("of a stack that stays, what holds data fails the command, with its price", async () => {
    const { access } = api(Array.from({ length: 10_000 }, () => [409, "conflict"] as [number, string]));
    await expect(removeUnknown(access, "prod", new Set(), () => undefined, quick)).rejects.toThrow(
      /primary IP vpai-prod[\s\S]*do: save what they hold, then delete them in Hetzner's console/,
    );
  });

  test("one that does not go fails the command, by name", async () => {
    const { access } = api(Array.from({ length: 10_000 }, () => [409, "conflict"] as [number, string]));
    await expect(removeLeftovers(access, "prod", new Set(), false, () => undefined, quick)).rejects.toThrow(
      /primary IP vpai-prod \(id 2\).*still there; last answer: conflict/,
    );
  });
});

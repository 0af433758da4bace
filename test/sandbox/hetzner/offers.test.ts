import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";

import { refresh } from "../../../ops/sandbox/refresh-offers.ts";
import { type Offers, offers } from "../../../sandbox/hetzner/state/offers.ts";
import { startProject, token } from "./project.ts";

let directory: string;
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "vpai-offers-"));
});

afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
  rmSync(directory, { recursive: true });
});

const at = (name: string): string => join(directory, name);

function refreshFrom(endpoint: string): Promise<string> {
  return refresh({ endpoint, token, today: "2026-11-26", offersFile: at("offers.json"), programFile: at("offers.ts") });
}

/** Responses by path, `page` included; a number is a status without a body. */
async function serve(answers: Readonly<Record<string, object | number>>): Promise<string> {
  server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const page = searchParams.get("page") ?? "1";
    const answer = request.headers.authorization === `Bearer ${token}` ? (answers[`${pathname} ${page}`] ?? 404) : 401;
    response.statusCode = typeof answer === "number" ? answer : 200;
    response.end(typeof answer === "number" ? "" : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const price = (net: string): object => ({ net, gross: "9" });

function serverType(id: number, name: string, change: object = {}): object {
  return {
    id,
    name,
    description: name.toUpperCase(),
    category: "cost_optimized",
    architecture: "x86",
    cpu_type: "shared",
    cores: 2,
    memory: 4,
    disk: 40,
    storage_type: "local",
    deprecation: null,
    locations: [
      { id: 1, name: "fsn1", deprecation: null },
      { id: 2, name: "nbg1", deprecation: null },
    ],
    prices: [
      {
        location: "fsn1",
        price_hourly: price("0.0050"),
        price_monthly: price("3.10"),
        included_traffic: 20 * 1024 ** 4,
        price_per_tb_traffic: price("1.00"),
      },
    ],
    ...change,
  };
}

const place = {
  id: 1,
  name: "fsn1",
  description: "Falkenstein",
  country: "DE",
  city: "Falkenstein",
  latitude: 50.4,
  longitude: 12.3,
  network_zone: "eu-central",
};
const withdrawn = { announced: "2026-01-01T00:00:00Z", unavailable_after: "2026-04-01T00:00:00Z" };
const page = (next: number | null): object => ({ pagination: { next_page: next } });

const good: Readonly<Record<string, object | number>> = {
  "/server_types 1": { server_types: [serverType(2, "cx43", { memory: 16 }), serverType(3, "cpx9")], meta: page(2) },
  "/server_types 2": { server_types: [serverType(1, "cx22", { deprecation: withdrawn })], meta: page(null) },
  "/locations 1": { locations: [place], meta: page(null) },
  "/pricing 1": {
    pricing: {
      currency: "EUR",
      vat_rate: "19.00",
      server_backup: { percentage: "20.00" },
      image: { price_per_gb_month: price("0.01") },
      volume: { price_per_gb_month: price("0.05") },
      primary_ips: [
        { type: "ipv4", prices: [{ location: "fsn1", price_hourly: price("0.001"), price_monthly: price("0.6") }] },
      ],
      floating_ips: [{ type: "ipv4", prices: [{ location: "fsn1", price_monthly: price("3") }] }],
    },
  },
};

test("both tables are rewritten from the API's responses, all pages, by id, and dated", async () => {
  const endpoint = await serve(good);
  expect(await refreshFrom(endpoint)).toBe("3 server types at 1 locations, as of 2026-11-26");
  const table = JSON.parse(readFileSync(at("offers.json"), "utf8")) as Offers;
  expect(table).toMatchObject({
    asOf: "2026-11-26",
    locations: [place],
    pricing: {
      primaryIps: [{ type: "ipv4", location: "fsn1", hourly: "0.001", monthly: "0.6" }],
      floatingIps: [{ type: "ipv4", location: "fsn1", monthly: "3" }],
    },
  });
  expect(table.serverTypes.map(({ name }) => name)).toEqual(["cx22", "cx43", "cpx9"]);
  expect(table.serverTypes[1]).toMatchObject({
    memory: 16,
    // nbg1 has no price.
    locations: [{ name: "fsn1", hourly: "0.0050", monthly: "3.10", trafficTb: 20, perTb: "1.00" }],
  });
  const program = readFileSync(at("offers.ts"), "utf8");
  expect(program).toContain('AS_OF = "2026-11-26"');
  expect(program).toContain("  cpx9: { memoryMb: 4096, cores: 2 },\n  cx43: { memoryMb: 16384, cores: 2 },\n};");
  expect(program).toContain('LOCATIONS = ["fsn1"] as const');
  expect(readdirSync(directory).sort()).toEqual(["offers.json", "offers.ts"]);
});

describe("both tables are left as they are when", () => {
  const rows: readonly [what: string, answers: Readonly<Record<string, object | number>>, message: RegExp][] = [
    ["the token is rejected", { ...good, "/pricing 1": 401 }, /HCLOUD_TOKEN: rejected by .*\n {2}allowed: /],
    ["the API is busy", { ...good, "/server_types 2": 503 }, /GET \/server_types\?.*page=2 answered 503/],
    ["a list is empty", { ...good, "/locations 1": { locations: [], meta: page(null) } }, /\/locations: an unexpected/],
    [
      "a field is missing",
      {
        ...good,
        "/server_types 2": { server_types: [serverType(1, "cx22", { memory: undefined })], meta: page(null) },
      },
      /\/server_types: an unexpected response \(2\.memory/,
    ],
    [
      "a name is no name",
      { ...good, "/server_types 2": { server_types: [serverType(1, "x: {}, y")], meta: page(null) } },
      /\/server_types: an unexpected response \(2\.name/,
    ],
  ];

  test.each(rows)("%s", async (_what, answers, message) => {
    writeFileSync(at("offers.json"), "before");
    await expect(refreshFrom(await serve(answers))).rejects.toThrow(message);
    expect(readFileSync(at("offers.json"), "utf8")).toBe("before");
    expect(readdirSync(directory)).toEqual(["offers.json"]);
  });

  test("the API is not reachable", async () => {
    const endpoint = await serve(good);
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    await expect(refreshFrom(endpoint)).rejects.toThrow(/is not reachable \(.*ECONNREFUSED.*\)\n {2}do: /);
  });
});

test("a refresh from the simulator gives the simulator's own table", async () => {
  const project = await startProject();
  await refreshFrom(project.hetzner.endpoint);
  await project.close();
  const rewritten = JSON.parse(readFileSync(at("offers.json"), "utf8"), (_key, value: unknown) =>
    typeof value === "string" && /^\d+\.\d{10}$/.test(value) ? Number(value).toFixed(4) : value,
  ) as Offers;
  expect({ ...rewritten, asOf: offers.asOf, source: offers.source }).toEqual(offers);
});

import { z } from "zod";
import type { Offers, OfferedAt } from "../../sandbox/hetzner/state/offers.ts";
import { OperatorError } from "../../shared/errors.ts";

const price = z.object({ net: z.string().regex(/^\d+(\.\d+)?$/) });
const deprecation = z.object({ announced: z.string(), unavailable_after: z.string() }).nullable();
const version = z.enum(["ipv4", "ipv6"]);

/** The fields of `GET /server_types` that the table keeps. */
const serverTypes = z.array(
  z.object({
    id: z.int(),
    name: z.string().regex(/^[a-z]+\d+$/),
    description: z.string(),
    category: z.string().default(""),
    architecture: z.enum(["x86", "arm"]),
    cpu_type: z.enum(["shared", "dedicated"]),
    cores: z.int().positive(),
    memory: z.number().positive(),
    disk: z.number().positive(),
    deprecation: deprecation.default(null),
    locations: z.array(z.object({ name: z.string(), deprecation })),
    prices: z.array(
      z.object({
        location: z.string(),
        price_hourly: price,
        price_monthly: price,
        included_traffic: z.number(),
        price_per_tb_traffic: price,
      }),
    ),
  }),
);

const locations = z.array(
  z.object({
    id: z.int(),
    name: z.string().regex(/^[a-z]+\d*$/),
    description: z.string(),
    country: z.string(),
    city: z.string(),
    latitude: z.number(),
    longitude: z.number(),
    network_zone: z.string(),
  }),
);

const pricing = z.object({
  currency: z.string(),
  vat_rate: z.string(),
  server_backup: z.object({ percentage: z.string() }),
  image: z.object({ price_per_gb_month: price }),
  volume: z.object({ price_per_gb_month: price }),
  primary_ips: z.array(
    z.object({
      type: version,
      prices: z.array(z.object({ location: z.string(), price_hourly: price, price_monthly: price })),
    }),
  ),
  floating_ips: z.array(
    z.object({ type: version, prices: z.array(z.object({ location: z.string(), price_monthly: price })) }),
  ),
});

/** What the API answered, not yet checked: the lists without their pages, the price list. */
export interface OfferAnswers {
  readonly serverTypes: unknown;
  readonly locations: unknown;
  readonly pricing: unknown;
}

function checked<T>(schema: z.ZodType<T>, path: string, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new OperatorError({
      key: `Hetzner API, ${path}`,
      found: `an unexpected response (${issue?.path.join(".")}: ${issue?.message})`,
      fix: "compare it with https://docs.hetzner.cloud and adapt ops/sandbox/offers.ts; the tables are unchanged",
    });
  }
  return parsed.data;
}

const byId = (a: { readonly id: number }, b: { readonly id: number }): number => a.id - b.id;

/** The simulator's table of offers, from the API's responses. */
export function offersFrom(answers: OfferAnswers, endpoint: string, asOf: string): Offers {
  const places = checked(locations.nonempty(), "/locations", answers.locations);
  const types = checked(serverTypes.nonempty(), "/server_types", answers.serverTypes);
  const prices = checked(pricing, "/pricing", answers.pricing);
  return {
    asOf,
    source: `GET /server_types, /locations and /pricing of ${endpoint}`,
    locations: places.toSorted(byId),
    serverTypes: types
      .sort(byId)
      .map((type) => ({
        id: type.id,
        name: type.name,
        description: type.description,
        category: type.category,
        architecture: type.architecture,
        cpuType: type.cpu_type,
        cores: type.cores,
        memory: type.memory,
        disk: type.disk,
        deprecation: type.deprecation,
        locations: type.locations.flatMap((place) => offeredAt(place, type.prices)),
      })),
    pricing: {
      currency: prices.currency,
      vatRate: prices.vat_rate,
      backupPercent: prices.server_backup.percentage,
      imageGbMonth: prices.image.price_per_gb_month.net,
      volumeGbMonth: prices.volume.price_per_gb_month.net,
      primaryIps: prices.primary_ips.flatMap(({ type, prices: rows }) =>
        rows.map((row) => ({
          type,
          location: row.location,
          hourly: row.price_hourly.net,
          monthly: row.price_monthly.net,
        })),
      ),
      floatingIps: prices.floating_ips.flatMap(({ type, prices: rows }) =>
        rows.map((row) => ({ type, location: row.location, monthly: row.price_monthly.net })),
      ),
    },
  };
}

type ServerTypeAnswer = z.infer<typeof serverTypes>[number];

/** A location without a price is not one where the type can be ordered. */
function offeredAt(place: ServerTypeAnswer["locations"][number], prices: ServerTypeAnswer["prices"]): OfferedAt[] {
  return prices
    .filter(({ location }) => location === place.name)
    .map((row) => ({
      name: place.name,
      hourly: row.price_hourly.net,
      monthly: row.price_monthly.net,
      trafficTb: row.included_traffic / 1024 ** 4,
      perTb: row.price_per_tb_traffic.net,
      ...(place.deprecation === null ? {} : { deprecation: place.deprecation }),
    }));
}

/** The program's own table, derived from the simulator's. */
export const PROGRAM_TABLE = "components/vps/hetzner/offers.ts";

/** The text of {@link PROGRAM_TABLE}, as TypeScript: the names of locations are a type there. Without withdrawn types. */
export function programTable({ asOf, locations: places, serverTypes: types }: Offers): string {
  const rows = types
    .filter((type) => type.deprecation === null)
    .toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }))
    .map(({ name, memory, cores }) => `  ${name}: { memoryMb: ${memory * 1024}, cores: ${cores} },`);
  const names = places.map(({ name }) => JSON.stringify(name)).join(", ");
  return [
    "// Derived from sandbox/hetzner/state/offers.json by `vpai sandbox refresh-offers` or `vpai lint --write`.",
    "",
    "/** The date of this table. */",
    `export const AS_OF = ${JSON.stringify(asOf)};`,
    "",
    "/** Memory and cores of Hetzner's server types. Others need `vps.memoryMb`. */",
    "export const SERVER_TYPES: Readonly<Record<string, { readonly memoryMb: number; readonly cores: number }>> = {",
    ...rows,
    "};",
    "",
    "export const LOCATIONS = [",
    `  ${names},`,
    "] as const;",
    "",
  ].join("\n");
}

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Deprecation, LocationView } from "../wire/types.ts";

/** Where a server type is sold. Prices are net, decimal strings. */
export interface OfferedAt {
  /** Name of the location. */
  readonly name: string;
  readonly hourly: string;
  readonly monthly: string;
  readonly trafficTb: number;
  readonly perTb: string;
  readonly deprecation?: Deprecation;
}

export interface ServerType {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly architecture: "x86" | "arm";
  readonly cpuType: "shared" | "dedicated";
  readonly cores: number;
  /** GB */
  readonly memory: number;
  /** GB */
  readonly disk: number;
  /** Withdrawn types stay listed for a while. */
  readonly deprecation: Deprecation | null;
  readonly locations: readonly OfferedAt[];
}

/** Prices that belong to no server type; net, decimal strings. */
export interface Pricing {
  readonly currency: string;
  readonly vatRate: string;
  readonly backupPercent: string;
  readonly imageGbMonth: string;
  readonly volumeGbMonth: string;
  readonly primaryIps: readonly {
    readonly type: "ipv4" | "ipv6";
    readonly location: string;
    readonly hourly: string;
    readonly monthly: string;
  }[];
  readonly floatingIps: readonly {
    readonly type: "ipv4" | "ipv6";
    readonly location: string;
    readonly monthly: string;
  }[];
}

/** What Hetzner sells, as of a date; `vpai sandbox refresh-offers` rewrites the file. */
export interface Offers {
  /** ISO 8601 date. */
  readonly asOf: string;
  readonly source: string;
  readonly locations: readonly LocationView[];
  readonly serverTypes: readonly ServerType[];
  readonly pricing: Pricing;
}

/** The one table; `components/vps/hetzner/offers.ts` is derived from it. */
export const offersFile = join(import.meta.dirname, "offers.json");

export const offers = JSON.parse(readFileSync(offersFile, "utf8")) as Offers;

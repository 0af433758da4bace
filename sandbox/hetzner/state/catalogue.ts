/** A place servers can stand in; as `GET /locations` has it. */
export interface Location {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly country: string;
  readonly city: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly network_zone: string;
}

export const locations: readonly Location[] = [
  place(1, "fsn1", "Falkenstein DC Park 1", "DE", "Falkenstein", 50.47612, 12.370071, "eu-central"),
  place(2, "nbg1", "Nuremberg DC Park 1", "DE", "Nuremberg", 49.452102, 11.076665, "eu-central"),
  place(3, "hel1", "Helsinki DC Park 1", "FI", "Helsinki", 60.169855, 24.938379, "eu-central"),
  place(4, "ash", "Ashburn, VA", "US", "Ashburn, VA", 39.045821, -77.487073, "us-east"),
  place(5, "hil", "Hillsboro, OR", "US", "Hillsboro, OR", 45.54222, -122.951924, "us-west"),
  place(6, "sin", "Singapore", "SG", "Singapore", 1.283333, 103.833333, "ap-southeast"),
];

function place(
  id: number,
  name: string,
  description: string,
  country: string,
  city: string,
  latitude: number,
  longitude: number,
  network_zone: string,
): Location {
  return { id, name, description, country, city, latitude, longitude, network_zone };
}

export interface ServerType {
  readonly id: number;
  readonly name: string;
  readonly cores: number;
  /** GB */
  readonly memory: number;
  /** GB */
  readonly disk: number;
  readonly cpuType: "shared" | "dedicated";
  readonly architecture: "x86" | "arm";
  readonly category: string;
  readonly locations: readonly string[];
  /** EUR a month, net. Of the right order, not the current price list. */
  readonly monthly: number;
  /** Withdrawn types stay listed for a while; ISO 8601. */
  readonly deprecation: { readonly announced: string; readonly unavailable_after: string } | null;
}

const eu = ["fsn1", "nbg1", "hel1"];
const us = ["ash", "hil"];
const asia = ["sin"];
const gone = { announced: "2025-10-16T00:00:00+00:00", unavailable_after: "2026-01-01T00:00:00+00:00" };

/** Ids and locations as `hcloud server-type list` showed them in April 2026 (hetznercloud/cli issue 1322). */
export const serverTypes: readonly ServerType[] = [
  ...family("regular_performance", "x86", us, [
    [22, "cpx11", 2, 2, 40, 4.49],
    [23, "cpx21", 3, 4, 80, 8.99],
    [24, "cpx31", 4, 8, 160, 15.99],
    [25, "cpx41", 8, 16, 240, 29.99],
    [26, "cpx51", 16, 32, 360, 59.99],
  ]),
  ...family("cost_optimized", "arm", eu, [
    [45, "cax11", 2, 4, 40, 3.79],
    [93, "cax21", 4, 8, 80, 6.49],
    [94, "cax31", 8, 16, 160, 12.49],
    [95, "cax41", 16, 32, 320, 24.49],
  ]),
  ...family(
    "general_purpose",
    "x86",
    [...eu, ...us, ...asia],
    [
      [96, "ccx13", 2, 8, 80, 12.49],
      [97, "ccx23", 4, 16, 160, 24.49],
      [98, "ccx33", 8, 32, 240, 48.49],
    ],
  ),
  // The exact end date of this generation was not published in one place; what matters is that it is gone.
  ...family("cost_optimized", "x86", eu, [[104, "cx22", 2, 4, 40, 3.79]], gone),
  ...family(
    "regular_performance",
    "x86",
    [...eu, ...asia],
    [
      [109, "cpx22", 2, 4, 80, 5.99],
      [110, "cpx32", 4, 8, 160, 10.49],
      [111, "cpx42", 8, 16, 320, 19.49],
      [112, "cpx52", 12, 24, 480, 27.99],
      [113, "cpx62", 16, 32, 640, 37.99],
    ],
  ),
  ...family("cost_optimized", "x86", eu, [
    [114, "cx23", 2, 4, 40, 2.99],
    [115, "cx33", 4, 8, 80, 4.99],
    [116, "cx43", 8, 16, 160, 8.99],
    [117, "cx53", 16, 32, 320, 16.99],
  ]),
];

type Row = readonly [id: number, name: string, cores: number, memory: number, disk: number, monthly: number];

function family(
  category: string,
  architecture: "x86" | "arm",
  where: readonly string[],
  rows: readonly Row[],
  deprecation: ServerType["deprecation"] = null,
): ServerType[] {
  return rows.map(([id, name, cores, memory, disk, monthly]) => ({
    id,
    name,
    cores,
    memory,
    disk,
    cpuType: name.startsWith("ccx") ? "dedicated" : "shared",
    architecture,
    category,
    locations: where,
    monthly,
    deprecation,
  }));
}

export interface SystemImage {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly osVersion: string;
  readonly architecture: "x86" | "arm";
  readonly created: string;
}

export const systemImages: readonly SystemImage[] = [
  debian(114690387, "12", "x86", "2023-06-13T06:00:02+00:00"),
  debian(114690389, "12", "arm", "2023-06-13T06:00:02+00:00"),
  debian(310557660, "13", "x86", "2025-08-11T06:00:02+00:00"),
  debian(310557661, "13", "arm", "2025-08-11T06:00:02+00:00"),
];

function debian(id: number, version: string, architecture: "x86" | "arm", created: string): SystemImage {
  return { id, name: `debian-${version}`, description: `Debian ${version}`, osVersion: version, architecture, created };
}

/** Finds by id, or by name; a string of digits is an id, as the official clients have it. */
export function byIdOrName<T extends { readonly id: number; readonly name: string }>(
  items: readonly T[],
  key: number | string,
): T | undefined {
  const id = Number(key);
  return items.find((item) => (Number.isInteger(id) ? item.id === id : item.name === key));
}

import type { ServiceDefinition } from "../../components/service/model/definition.ts";
import type { NotApplicable, Size } from "../../components/service/model/facets.ts";
import { allDependencies } from "../../components/service/plan/order.ts";

/** One service as `vpai services` tells it. */
export interface ServiceRow {
  readonly service: string;
  readonly image: string;
  /** The image's tag. */
  readonly version: string;
  readonly networks: readonly string[];
  /** Where it listens inside its networks. */
  readonly port?: number;
  /** Ports open to the world, `443/tcp`. */
  readonly open: readonly string[];
  readonly route?: { readonly host: string; readonly audience: string };
  readonly memoryMb: number;
  readonly user: string;
  /** `port/path`, or why there is none. */
  readonly metrics: string | NotApplicable;
  /** Names of what is saved, or why nothing is. */
  readonly backup: readonly string[] | NotApplicable;
  readonly needs: readonly string[];
}

export interface TableInput {
  readonly size: Size;
  readonly domain: string;
  /** Image by service. */
  readonly pins: Readonly<Record<string, string>>;
}

export function serviceRows(
  definitions: readonly ServiceDefinition[],
  { size, domain, pins }: TableInput,
): ServiceRow[] {
  return definitions.map((definition) => {
    const { name, networks, port, publish = [], route, memoryMb, user, metrics, backup } = definition;
    const image = pins[name] ?? definition.image.pin;
    return {
      service: name,
      image,
      version: /:([^:@/]+)@/.exec(image)?.[1] ?? image,
      networks: [...networks],
      ...(port !== undefined && { port }),
      open: publish.map((each) => `${each.port}/${each.protocol}`),
      ...(route && { route: { host: `${route.subdomain}.${domain}`, audience: route.audience } }),
      memoryMb: memoryMb[size],
      user: `${user.uid}:${user.gid}`,
      metrics: "reason" in metrics ? metrics : `${metrics.port ?? port}${metrics.path ?? "/metrics"}`,
      backup: "reason" in backup ? backup : backup.items.map((item) => item.name),
      needs: allDependencies(definition, definitions),
    };
  });
}

const NONE = "-";
const list = (words: readonly string[]): string => words.join(" ") || NONE;

const COLUMNS: readonly (readonly [title: string, cell: (row: ServiceRow) => string])[] = [
  ["SERVICE", ({ service }) => service],
  ["VERSION", ({ version }) => version],
  ["NETWORKS", ({ networks }) => list(networks)],
  ["PORT", ({ port }) => String(port ?? NONE)],
  ["OPEN", ({ open }) => list(open)],
  ["ROUTE", ({ route }) => (route ? `${route.host} (${route.audience})` : NONE)],
  ["MB", ({ memoryMb }) => String(memoryMb)],
  ["USER", ({ user }) => user],
  ["METRICS", ({ metrics }) => (typeof metrics === "string" ? metrics : NONE)],
  ["BACKUP", ({ backup }) => ("reason" in backup ? NONE : list(backup))],
  ["NEEDS", ({ needs }) => list(needs)],
];

/** The table, its sum of memory, and the reasons of what is left out. */
export function servicesTable(rows: readonly ServiceRow[], size: Size): string {
  const cells = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row)))];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const table = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const sum = rows.reduce((total, { memoryMb }) => total + memoryMb, 0);
  const reasons = rows.flatMap(({ service, metrics, backup }) => [
    ...(typeof metrics === "string" ? [] : [`${service} has no metrics: ${metrics.reason}`]),
    ...("reason" in backup ? [`${service} has no backup: ${backup.reason}`] : []),
  ]);
  return [...table, "", `${rows.length} services, ${sum} MB at most (size ${size})`, ...reasons, ""].join("\n");
}

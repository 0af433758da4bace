import type { ServiceDefinition } from "../../components/service/model/definition.ts";
import type { NotApplicable, Size } from "../../components/service/model/facets.ts";
import { memoryMb } from "../../components/service/plan/memory.ts";
import { allDependencies } from "../../components/service/plan/order.ts";
import type { LiveMemory } from "./live-memory.ts";

/** One service as `vpai services` shows it. */
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
  readonly memory: {
    readonly requestMb: number;
    readonly limitMb: number;
    /** What it takes now; only where the server was asked and the container runs. */
    readonly usedMb?: number;
  };
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
  /** The answer of the stack's server, when it was asked. */
  readonly live?: LiveMemory;
}

export function serviceRows(
  definitions: readonly ServiceDefinition[],
  { size, domain, pins, live }: TableInput,
): ServiceRow[] {
  return definitions.map((definition) => {
    const { name, networks, port, publish = [], route, user, metrics, backup } = definition;
    const image = pins[name] ?? definition.image.pin;
    const { request, limit } = memoryMb(definition, size);
    const usedMb = live?.usedMb.get(name);
    return {
      service: name,
      image,
      version: /:([^:@/]+)@/.exec(image)?.[1] ?? image,
      networks: [...networks],
      ...(port !== undefined && { port }),
      open: publish.map((each) => `${each.port}/${each.protocol}`),
      ...(route && { route: { host: `${route.subdomain}.${domain}`, audience: route.audience } }),
      memory: { requestMb: request, limitMb: limit, ...(usedMb !== undefined && { usedMb }) },
      user: `${user.uid}:${user.gid}`,
      metrics: "reason" in metrics ? metrics : `${metrics.port ?? port}${metrics.path ?? "/metrics"}`,
      backup: "reason" in backup ? backup : backup.items.map((item) => item.name),
      needs: allDependencies(definition, definitions),
    };
  });
}

const NONE = "-";
const list = (words: readonly string[]): string => words.join(" ") || NONE;

type Column = readonly [title: string, cell: (row: ServiceRow) => string];

const USED: Column = ["USED MB", ({ memory }) => String(memory.usedMb ?? NONE)];

const columns = (live: boolean): readonly Column[] => [
  ["SERVICE", ({ service }) => service],
  ["VERSION", ({ version }) => version],
  ["NETWORKS", ({ networks }) => list(networks)],
  ["PORT", ({ port }) => String(port ?? NONE)],
  ["OPEN", ({ open }) => list(open)],
  ["ROUTE", ({ route }) => (route ? `${route.host} (${route.audience})` : NONE)],
  ["REQUEST MB", ({ memory }) => String(memory.requestMb)],
  ["LIMIT MB", ({ memory }) => String(memory.limitMb)],
  ...(live ? [USED] : []),
  ["USER", ({ user }) => user],
  ["METRICS", ({ metrics }) => (typeof metrics === "string" ? metrics : NONE)],
  ["BACKUP", ({ backup }) => ("reason" in backup ? NONE : list(backup))],
  ["NEEDS", ({ needs }) => list(needs)],
];

/** The table (memory in MB), its sums of memory, and the reasons of what is left out. */
export function servicesTable(rows: readonly ServiceRow[], { size, live }: Pick<TableInput, "size" | "live">): string {
  const shown = columns(live !== undefined);
  const cells = [shown.map(([title]) => title), ...rows.map((row) => shown.map(([, cell]) => cell(row)))];
  const widths = shown.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const table = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const sum = (of: (memory: ServiceRow["memory"]) => number): number =>
    rows.reduce((total, { memory }) => total + of(memory), 0);
  const reasons = rows.flatMap(({ service, metrics, backup }) => [
    ...(typeof metrics === "string" ? [] : [`${service} has no metrics: ${metrics.reason}`]),
    ...("reason" in backup ? [`${service} has no backup: ${backup.reason}`] : []),
  ]);
  const sums = [
    `${rows.length} services, size ${size}: requests ${sum(({ requestMb }) => requestMb)} MB`,
    `limits ${sum(({ limitMb }) => limitMb)} MB`,
    ...(live ? [`in use ${sum(({ usedMb = 0 }) => usedMb)} MB`] : []),
  ];
  const server =
    live &&
    `the server: ${live.server.totalMb} MB of memory, ${live.server.availableMb} available; ${live.server.swapMb} MB of swap, which containers do not use`;
  return [...table, "", sums.join(", "), ...(server ? [server] : []), ...reasons, ""].join("\n");
}

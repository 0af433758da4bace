import type { Actual } from "./actual.ts";
import type { Drift, Repair } from "./drift.ts";
import { type Expected, sha256, sshPorts } from "./expected.ts";
import { HOST_FIREWALL } from "../../components/host/firewall/host-table.ts";
import type { HostSoftware } from "../../components/host/software/model.ts";
import { fileDifference } from "./compare-files.ts";

type Row = readonly [resource: string, expected: string, actual: string];

const packageRows = (packages: readonly string[], actual: Actual): Row[] =>
  packages.map((name) => [`package ${name}`, "installed", actual.packages[name] ?? "not-installed"]);

const unitRows = (units: readonly string[], actual: Actual): Row[] =>
  units.map((name) => {
    const { enabled = "not found", active = "not found" } = actual.units[name] ?? {};
    return [`unit ${name}`, "enabled, active", `${enabled}, ${active}`];
  });

const differences = (rows: readonly Row[], repair: Repair): Drift[] =>
  rows
    .filter(([, expected, found]) => expected !== found)
    .map(([resource, expected, found]) => ({ resource, expected, actual: found, repair }));

/** What the bootstrap makes; any difference has it run again. */
export function compareHost({ installed }: Expected, actual: Actual): Drift[] {
  const { files, packages, units, sshd, docker, user } = installed;
  const rows: Row[] = [
    ...packageRows(packages, actual),
    ...unitRows(units, actual),
    ...Object.entries(sshd).map(
      ([key, values]) => [`sshd setting ${key}`, words(values), words(actual.sshd[key] ?? [])] as const,
    ),
    ...Object.entries(docker).map(
      ([key, value]) => [`Docker setting ${key}`, value, actual.daemon[key] ?? "not set"] as const,
    ),
    ...sshPorts(installed).map(
      (port) =>
        [
          `port ${port}/tcp`,
          "sshd",
          actual.listening.some((each) => each.port === port) ? "sshd" : "nothing listens",
        ] as const,
    ),
    ...membership(user, actual),
  ];
  const settings = differences(rows, { kind: "bootstrap" });
  const ids = {
    root: [0, 0] as const,
    ...(actual.user && { [user.name]: [actual.user.uid, actual.user.gid] as const }),
  };
  const changed = files.flatMap(({ path, mode, content, owner = "root" }): Drift[] => {
    const wanted = { mode, owner: ids[owner as keyof typeof ids] ?? ids.root, sha256: sha256(content) };
    const found = fileDifference(wanted, actual.paths[path] ?? null);
    return found ? [{ resource: `file ${path}`, ...found, repair: { kind: "bootstrap" } }] : [];
  });
  return [...settings, ...changed];
}

/** Software on the server itself; any difference has it installed and proved again. */
export const compareSoftware = ({ software }: Expected, actual: Actual): Drift[] =>
  Object.entries(software).flatMap(([name, each]) => softwareDrifts(name, each, actual));

function softwareDrifts(name: string, { packages, units, files }: HostSoftware, actual: Actual): Drift[] {
  const repair = { kind: "provision", name } as const;
  const changed = files.flatMap(({ path, mode, content }): Drift[] => {
    const found = fileDifference({ mode, owner: [0, 0], sha256: sha256(content) }, actual.paths[path] ?? null);
    return found ? [{ resource: `file ${path}`, ...found, repair }] : [];
  });
  return [...differences([...packageRows(packages, actual), ...unitRows(units, actual)], repair), ...changed];
}

/** The server's own firewall; the resource that loads it tries it first, also when it repairs it. */
export function compareFirewall({ firewall }: Expected, actual: Actual): Drift[] {
  const { kept, recorded, listed } = actual.firewall;
  if (firewall === undefined || (kept === firewall && listed !== null && listed === recorded)) return [];
  const found = listed === null ? "not loaded" : kept === firewall ? "changed by hand" : "other rules";
  const repair = { kind: "provision", name: HOST_FIREWALL } as const;
  return [{ resource: "firewall of the server", expected: "as `vpai ports` lists", actual: found, repair }];
}

const words = (values: readonly string[]): string => values.toSorted().join(", ") || "not set";

function membership(
  { name, group }: Expected["installed"]["user"],
  { user }: Actual,
): (readonly [string, string, string])[] {
  const expected = `member of ${group}`;
  const resource = `user ${name}`;
  if (user === null) return [[resource, expected, "not found"]];
  return [[resource, expected, user.groups.includes(group) ? expected : `not a member of ${group}`]];
}

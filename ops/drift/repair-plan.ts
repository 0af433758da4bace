import type { Fault } from "../../shared/errors.ts";
import type { Drift, Repair } from "./drift.ts";

/** What puts a list of differences right, in this order. */
export interface RepairPlan {
  readonly powerOn: boolean;
  /** The bootstrap runs first: what else differs is seen only on a server that is right itself. */
  readonly bootstrap: boolean;
  /** Shell lines on the server, as root. */
  readonly commands: readonly string[];
  /** URNs that the engine reads before it runs: what no longer exists is then made, what differs is changed. */
  readonly refresh: readonly string[];
  /** Flags of the engine. */
  readonly flags: readonly string[];
  /** What stops the run. */
  readonly lost: readonly Fault[];
}

type Of<K extends Repair["kind"]> = Extract<Repair, { kind: K }>;

export function planRepair(drifts: readonly Drift[]): RepairPlan {
  const of = <K extends Repair["kind"]>(kind: K): Of<K>[] =>
    drifts.flatMap(({ repair }) => (repair.kind === kind ? [repair as Of<K>] : []));
  const files = of("files");
  const made = new Set(of("make").map(({ service }) => service));
  const replaced = new Set(
    [
      ...of("replace").map(({ service }) => service),
      ...of("network").flatMap(({ services }) => services),
      ...files.flatMap(({ service, container }) => (container ? [service] : [])),
    ].filter((service) => !made.has(service)),
  );
  const stays = (service: string | undefined): boolean =>
    service === undefined || !(made.has(service) || replaced.has(service));
  const commands = of("command").filter(({ service }) => stays(service));
  const gated = [...commands.flatMap(({ service }) => service ?? []), ...of("gate").map(({ service }) => service)];
  const replace = [
    ...files.map(({ service }) => `${service}-files`),
    ...[...replaced].map((service) => `${service}-container`),
    ...of("provision").map(({ name }) => name),
    ...gated.filter(stays).map((service) => `${service}-healthy`),
    // After a boot every container starts by itself: each gate waits until its own is healthy.
    ...(of("power-on").length > 0 ? ["*-healthy"] : []),
  ];
  const changed = of("refresh").filter(({ urn }) => ![...replaced, ...made].some((each) => isContainerOf(urn, each)));
  return {
    powerOn: of("power-on").length > 0,
    bootstrap: of("bootstrap").length > 0,
    commands: unique([
      ...of("make").flatMap(({ remove }) => (remove ? [`docker stop --time 60 ${remove} && docker rm ${remove}`] : [])),
      ...files.flatMap(({ service, stop }) => (stop && !made.has(service) ? [`docker stop --time 60 ${service}`] : [])),
      ...of("network").map(({ name }) => removeNetwork(name)),
      ...commands.map(({ command }) => command),
    ]),
    refresh: unique([...of("make"), ...of("network"), ...changed].flatMap(({ urn }) => urn ?? [])),
    flags: unique(replace).flatMap((name) => ["--replace", `**::${name}`]),
    lost: drifts.flatMap(({ resource, actual, expected, repair }) =>
      repair.kind === "lost" ? [{ key: resource, found: actual, allowed: expected, fix: repair.fix }] : [],
    ),
  };
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

const isContainerOf = (urn: string, service: string): boolean => urn.endsWith(`::${service}-container`);

/** Containers lose it first: Docker removes no network that is in use. They are replaced afterwards. */
function removeNetwork(name: string): string {
  const members = `docker network inspect --format '{{range $id, $each := .Containers}}{{$id}} {{end}}' ${name}`;
  return (
    `if docker network inspect ${name} > /dev/null 2>&1; then ` +
    `for each in $(${members}); do docker network disconnect --force ${name} "$each"; done; docker network rm ${name}; fi`
  );
}

/** What the run does, or has done, about a difference, in a few words. */
export function actionOf(repair: Repair): string {
  switch (repair.kind) {
    case "bootstrap":
      return "bootstrap run again";
    case "command":
    case "refresh":
      return repair.done;
    case "make":
      return repair.remove ? "removed and created" : "created";
    case "replace":
      return "container replaced";
    case "files":
      return repair.container ? "files written, container replaced" : "files written";
    case "network":
      return `created, containers replaced: ${repair.services.join(", ") || "none"}`;
    case "provision":
    case "gate":
      return "set again";
    case "power-on":
      return "powered on";
    case "lost":
      return "cannot be repaired";
    case "manual":
      return `left as it is: ${repair.fix}`;
  }
}

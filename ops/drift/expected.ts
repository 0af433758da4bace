import { createHash } from "node:crypto";
import { recordedReadback } from "../../components/database/readback.ts";
import { type DnsProvider, SECRETS_OF } from "../../components/dns/credentials.ts";
import type { ZonePlace } from "../../components/dns/open-zone.ts";
import type { ZoneRecordsState } from "../../components/dns/provider.ts";
import { type DnsRecord, ZONE_RECORDS } from "../../components/dns/record.ts";
import { HOST_FIREWALL } from "../../components/host/firewall/host-table.ts";
import { BACKUP_SOFTWARE } from "../../components/backup/plan.ts";
import { HOST_SOFTWARE, type HostSoftware, parseHostSoftware } from "../../components/host/software/model.ts";
import type { SshAccess } from "../../components/host/ssh-files.ts";
import type { ExpectedResponse, ProvisionPlan, ReadbackLine } from "../../components/service/model/provision.ts";
import type { HostFiles } from "../../components/service/plan/files.ts";
import { parseBootstrap } from "../../components/vps/bootstrap.ts";
import { type Installed, installedBy } from "../../components/vps/installed.ts";
import type { Asked, InspectRequest, Mount } from "./actual.ts";
import type { Repair } from "./drift.ts";

/** The part of the engine's state that is used here, with secrets in clear. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** What the last run recorded of a server. */
export interface Expected {
  readonly stack: string;
  /** Links by service, as the program's outputs have them. */
  readonly links: Readonly<Record<string, string>>;
  readonly access: SshAccess;
  readonly installed: Installed;
  /** Digest of the table of the server's own firewall; undefined while it has none. */
  readonly firewall?: string;
  /** Software on the server itself, by the resource that installs it. */
  readonly software: Readonly<Record<string, HostSoftware>>;
  readonly containers: readonly ExpectedContainer[];
  readonly networks: readonly ExpectedNetwork[];
  readonly images: readonly { readonly service: string; readonly urn: string; readonly id: string }[];
  readonly files: readonly ExpectedFile[];
  readonly folders: readonly ExpectedFolder[];
  /** Where a service's files are, and no others. */
  readonly trees: readonly { readonly path: string; readonly service: string }[];
  readonly mounts: readonly Mount[];
  readonly readbacks: readonly ExpectedReadback[];
  readonly probes: readonly ExpectedProbe[];
  /** The server as its provider knows it; undefined for a server of another provider. */
  readonly server?: ExpectedServer;
  /** Undefined where the stack has no zone. */
  readonly dns?: ExpectedDns;
}

export interface ExpectedDns {
  readonly zone: string;
  readonly records: readonly DnsRecord[];
  /** Undefined where the records are made by hand. */
  readonly place?: ZonePlace;
  /** Sets that were in the zone before. */
  readonly kept: readonly string[];
  readonly urn: string;
  /** The provider's, as they were configured at the last run. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface ExpectedServer {
  readonly name: string;
  readonly id: string;
  readonly endpoint?: string;
  readonly token: string;
}

export interface ExpectedContainer {
  readonly name: string;
  readonly urn: string;
  readonly id: string;
  readonly networks: readonly string[];
  readonly memoryMb: number;
  readonly cpus: number;
  readonly restart: string;
  /** TCP ports that it publishes for others than the server itself. */
  readonly ports: readonly number[];
  /** Limit of processes; undefined where no gate has set it yet. */
  readonly pids?: number;
  /** How long its gate waits until it is healthy. */
  readonly gateSeconds?: number;
}

export interface ExpectedNetwork {
  readonly name: string;
  readonly urn: string;
  readonly id: string;
  readonly subnet: string;
  readonly internal: boolean;
}

export interface ExpectedFile {
  readonly path: string;
  readonly service: string;
  readonly sha256: string;
  readonly mode: string;
  readonly owner: readonly [uid: number, gid: number];
  /** Whether the service takes changed files while it runs. */
  readonly reloaded: boolean;
}

/** What a command in a container prints of what was set in it. */
export interface ExpectedReadback {
  readonly container: string;
  readonly argv: readonly string[];
  readonly stdin: string;
  readonly lines: readonly ReadbackLine[];
  readonly repair: Repair;
  /** Whose data it is: `n8n-database` and the container to replace with it. */
  readonly resource: string;
}

/** What a service answers about what was set in it. */
export interface ExpectedProbe extends Asked {
  readonly name: string;
  readonly satisfiedBy: readonly ExpectedResponse[];
  readonly holdsData: boolean;
  /** The resource that sets it. */
  readonly resource: string;
}

export interface ExpectedFolder {
  readonly path: string;
  readonly service: string;
  readonly mode: string;
  readonly owner: readonly [uid: number, gid: number];
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const SECRET = "4dabf18193072939515e22adb298388d";

/** Values of an exported state (`--show-secrets`), each secret replaced by what it holds. */
export function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  const { [SECRET]: mark, plaintext } = value as Record<string, unknown>;
  if (mark !== undefined) return typeof plaintext === "string" ? revealed(JSON.parse(plaintext)) : undefined;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, revealed(each)]));
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

interface Known {
  readonly name: string;
  readonly urn: string;
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Inputs over outputs, as only a finished step has the latter. */
const known = ({ urn, id = "", inputs, outputs }: StateResource): Known => ({
  name: nameOf(urn),
  urn,
  id,
  values: revealed({ ...outputs, ...inputs }) as Record<string, unknown>,
});

/** Reads the state; undefined while no server has been made ready. */
export function expectedOf(resources: readonly StateResource[]): Expected | undefined {
  const ofType = (type: string): Known[] => resources.filter((each) => each.type === type).map(known);
  const commands = ofType("command:remote:Command");
  const ready = commands.find(({ name }) => name === "host-ready");
  if (ready === undefined) return undefined;
  const plans = commands.flatMap(({ name, values }) =>
    name.endsWith("-files") ? [JSON.parse(String(values["stdin"])) as HostFiles] : [],
  );
  const gates = new Map(commands.flatMap(({ values }) => gateOf(String(values["create"]))));
  const containers = ofType("docker:index/container:Container");
  const firewall = ofType("command:local:Command").find(({ name }) => name === HOST_FIREWALL);
  const software = commands.filter(({ name }) => name === HOST_SOFTWARE || name === BACKUP_SOFTWARE);
  const server = serverOf(ofType("hcloud:index/server:Server"), ofType("pulumi:providers:hcloud"));
  const dns = dnsOf(ofType(ZONE_RECORDS), ofType("pulumi:providers:pulumi-nodejs"), ofType("pulumi:pulumi:Stack"));
  return {
    stack: ready.urn.split(":")[2] ?? "",
    links: linksOf(ofType("pulumi:pulumi:Stack")),
    access: accessOf(ready),
    installed: installedBy(parseBootstrap(String(ready.values["stdin"]))),
    ...(firewall && { firewall: sha256(String(firewall.values["stdin"])) }),
    software: Object.fromEntries(
      software.map(({ name, values }) => [name, parseHostSoftware(String(values["stdin"]))]),
    ),
    containers: containers.map((each) => containerOf(each, gates)),
    networks: ofType("docker:index/network:Network").map(networkOf),
    images: ofType("docker:index/remoteImage:RemoteImage").map(({ name, urn, values }) => ({
      service: name.replace(/^images-/, ""),
      urn,
      id: String(values["imageId"]),
    })),
    files: plans.flatMap(filesOf),
    folders: plans.flatMap(({ service, owner, data }) => data.map((each) => ({ ...each, service, owner }))),
    trees: plans.flatMap(({ service, config }) => (config ? [{ path: config.path, service }] : [])),
    mounts: containers.flatMap(({ values }) => mountsOf(values)),
    readbacks: [...plans.flatMap(filesReadback), ...commands.flatMap(databaseReadbacks)],
    probes: commands.flatMap(probesOf),
    ...(server && { server }),
    ...(dns && { dns }),
  };
}

type RecordedDns = Omit<ZoneRecordsState, "provider"> & { readonly provider: DnsProvider };

function dnsOf(
  [resource]: readonly Known[],
  [plugin]: readonly Known[],
  [stack]: readonly Known[],
): ExpectedDns | undefined {
  const given = (resource?.values ?? stack?.values["dns"]) as RecordedDns | null | undefined;
  if (!given) return undefined;
  const { provider, zone, endpoint, records, kept = [] } = given;
  // The engine gives a dynamic provider the whole configuration.
  const configured = SECRETS_OF[provider].flatMap((key) => {
    const value = plugin?.values[`vpai:${key}`];
    return value === undefined ? [] : [[key, String(value)] as const];
  });
  return {
    zone,
    records,
    ...(resource && provider !== "none" && { place: { provider, zone, endpoint } }),
    kept,
    urn: resource?.urn ?? "",
    secrets: Object.fromEntries(configured),
  };
}

function accessOf({ values }: Known): SshAccess {
  const { host, port, user, hostKey, privateKey } = values["connection"] as Record<string, string | number>;
  const [machineId] = values["triggers"] as unknown[];
  return {
    machineId: String(machineId),
    address: String(host),
    port: Number(port),
    user: String(user),
    hostKey: String(hostKey),
    privateKey: String(privateKey),
  };
}

type Gate = Required<Pick<ExpectedContainer, "pids" | "gateSeconds">>;

/** `/usr/local/lib/vpai/gate NAME SECONDS PIDS`. */
function gateOf(create: string): [string, Gate][] {
  const [, name, seconds, pids] = /\/gate (\S+) (\d+) (\d+)$/.exec(create) ?? [];
  return name === undefined ? [] : [[name, { pids: Number(pids), gateSeconds: Number(seconds) }]];
}

function linksOf([stack]: readonly Known[]): Record<string, string> {
  return (stack?.values["links"] ?? {}) as Record<string, string>;
}

function containerOf({ urn, id, values }: Known, gates: ReadonlyMap<string, Gate>): ExpectedContainer {
  const list = (key: string): Record<string, unknown>[] => (values[key] ?? []) as Record<string, unknown>[];
  const name = String(values["name"]);
  return {
    name,
    urn,
    id,
    networks:
      values["networkMode"] === "host"
        ? ["host"]
        : list("networksAdvanced")
            .map((each) => String(each["name"]))
            .toSorted(),
    memoryMb: Number(values["memory"] ?? 0),
    cpus: Number(values["cpus"] ?? 0),
    restart: String(values["restart"]),
    ports: list("ports").flatMap(({ ip, external, protocol }) =>
      protocol === "tcp" && ip !== "127.0.0.1" ? [Number(external)] : [],
    ),
    ...gates.get(name),
  };
}

function networkOf({ urn, id, values }: Known): ExpectedNetwork {
  const [first] = (values["ipamConfigs"] ?? []) as { subnet?: string }[];
  const { name, internal } = values;
  return { name: String(name), urn, id, subnet: first?.subnet ?? "", internal: internal === true };
}

function mountsOf(values: Known["values"]): Mount[] {
  const mounts = (values["mounts"] ?? []) as { source: string; target: string }[];
  // What is the server's own (certificates, Docker's socket) is replaced by updates of its packages.
  return mounts
    .filter(({ source }) => source.startsWith("/opt/vpai/"))
    .map(({ source, target }) => ({ container: String(values["name"]), source, target }));
}

function filesOf({ service, owner, config, reload }: HostFiles): ExpectedFile[] {
  return (config?.files ?? []).map(({ path, mode, content }) => ({
    path: `${config?.path}/${path}`,
    service,
    sha256: sha256(content),
    mode,
    owner,
    reloaded: reload !== null,
  }));
}

/** A service takes its live files again, or is restarted where it does not. */
function filesReadback({ service, readback, reload }: HostFiles): ExpectedReadback[] {
  if (readback === undefined) return [];
  const words = ["docker", "exec", service, ...(reload?.argv ?? [])].map(
    (word) => `'${word.replaceAll("'", `'\\''`)}'`,
  );
  const command = `{ ${words.join(" ")} || docker restart ${service}; }`;
  const repair: Repair = { kind: "command", command, service, done: "its files read again" };
  return [{ ...readback, container: service, repair, resource: `${service}-files` }];
}

function databaseReadbacks({ name, values }: Known): ExpectedReadback[] {
  const readback = name.endsWith("-database") ? recordedReadback(String(values["stdin"])) : undefined;
  return readback ? [{ ...readback, repair: { kind: "provision", name }, resource: name }] : [];
}

/** Of steps with a probe that changes something those alone that say what to ask instead. */
function probesOf({ name: resource, values }: Known): ExpectedProbe[] {
  if (!resource.endsWith("-provisioned")) return [];
  const { container, port, steps } = JSON.parse(String(values["stdin"])) as ProvisionPlan;
  return steps.flatMap(({ name, probe, satisfiedBy, inspect, holdsData = false }): ExpectedProbe[] => {
    const asked = { container, port, holdsData, resource, name: name.replace(/ \(.*$/s, "") };
    if (inspect) return [{ ...asked, request: inspect.request, satisfiedBy: [inspect.satisfiedBy] }];
    return probe.method === "GET" ? [{ ...asked, request: probe, satisfiedBy: [satisfiedBy].flat() }] : [];
  });
}

function serverOf([server]: readonly Known[], [provider]: readonly Known[]): ExpectedServer | undefined {
  if (server === undefined || provider === undefined) return undefined;
  const { endpoint, token } = provider.values;
  return {
    name: String(server.values["name"]),
    id: server.id,
    ...(typeof endpoint === "string" && { endpoint }),
    token: String(token),
  };
}

/** What to ask the server, to compare it with what is expected. */
export function requestFor(expected: Expected): InspectRequest {
  const { installed, containers, files, folders, trees, mounts, probes } = expected;
  const software = Object.values(expected.software);
  return {
    files: [...installed.files, ...software.flatMap((each) => each.files), ...files].map(({ path }) => path),
    trees: trees.map(({ path }) => path),
    folders: folders.map(({ path }) => path),
    mounts,
    units: [...installed.units, ...software.flatMap((each) => each.units)],
    packages: [...new Set([...installed.packages, ...software.flatMap((each) => each.packages)])],
    user: installed.user.name,
    daemon: Object.keys(installed.docker),
    listening: [...sshPorts(installed), ...containers.flatMap(({ ports }) => ports)],
    readbacks: readbackCommands(expected),
    probes: probes.map(({ container, port, request, satisfiedBy }) => ({
      container,
      port,
      request,
      wanted: satisfiedBy.map(({ json }) => json),
    })),
  };
}

/** One command for all that ask the same program: starting it takes longer than its answer. */
function readbackCommands({ readbacks }: Expected): InspectRequest["readbacks"] {
  const commands = Map.groupBy(readbacks, ({ container, argv }) => JSON.stringify([container, argv]));
  return [...commands.values()].flatMap(([first, ...rest]) =>
    first
      ? [{ container: first.container, argv: first.argv, stdin: [first, ...rest].map(({ stdin }) => stdin).join("") }]
      : [],
  );
}

export const sshPorts = ({ sshd }: Installed): number[] => (sshd["port"] ?? []).map(Number);

import type { FaultBook } from "../../control/fault-injector.ts";
import type { Actions } from "./actions.ts";
import { serverTypes, type ServerType } from "./catalogue.ts";
import { notFound } from "../wire/errors.ts";
import { parseSelector } from "../wire/labels.ts";
import type { FirewallRule, Machines } from "./machines.ts";
import type { FirewallRecord, FirewallTarget, PrimaryIpRecord, ServerRecord, State } from "./model.ts";
import type { Store } from "./store.ts";

/** How many of each a project may have; what a new account gets, roughly. */
export interface Limits {
  readonly servers: number;
  readonly primaryIps: number;
  readonly firewalls: number;
  readonly snapshots: number;
  readonly volumes: number;
}

export const defaultLimits: Limits = { servers: 10, primaryIps: 20, firewalls: 50, snapshots: 30, volumes: 10 };

/** What every part of the simulated Hetzner works on. */
export interface Cloud {
  readonly store: Store;
  readonly state: State;
  readonly actions: Actions;
  readonly machines: Machines;
  readonly faults: FaultBook;
  readonly subnet: string;
  readonly limits: Limits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** The queue of a server: its actions run one after the other, and lock it. */
export function serverQueue(id: number): string {
  return `server:${id}`;
}

export function findServer(cloud: Cloud, id: number): ServerRecord {
  const server = cloud.state.servers.find((candidate) => candidate.id === id);
  if (server === undefined) {
    throw notFound("server", id);
  }
  return server;
}

export function typeOf(server: ServerRecord): ServerType {
  const type = serverTypes.find((candidate) => candidate.id === server.serverType);
  if (type === undefined) {
    throw new Error(`server ${server.id} has a server type that is not in the catalogue: ${server.serverType}`);
  }
  return type;
}

export function ipOf(cloud: Cloud, server: ServerRecord, type: "ipv4" | "ipv6"): PrimaryIpRecord | undefined {
  return cloud.state.primaryIps.find((ip) => ip.assignee === server.id && ip.type === type);
}

/** Whether a server of this type could be made there now; describes, counts no fault as struck. */
export function hasCapacity(cloud: Cloud, type: string, location: string): boolean {
  return !cloud.faults.active(
    "no-capacity",
    (fault) => fault.serverType === type && (fault.location === undefined || fault.location === location),
  );
}

/** The firewalls of a server, by its id or by a label selector. */
export function firewallsOf(cloud: Cloud, server: ServerRecord): FirewallRecord[] {
  return cloud.state.firewalls.filter((firewall) => firewall.appliedTo.some((target) => isTargeted(target, server)));
}

export function isTargeted(target: FirewallTarget, server: ServerRecord): boolean {
  return target.type === "server" ? target.server === server.id : parseSelector(target.selector)(server.labels);
}

/** All rules of a server's firewalls; undefined when it has no firewall, which is not the same as no rule. */
export function rulesOf(cloud: Cloud, server: ServerRecord): FirewallRule[] | undefined {
  const firewalls = firewallsOf(cloud, server);
  return firewalls.length === 0
    ? undefined
    : firewalls.flatMap((firewall) =>
        firewall.rules.map(({ direction, protocol, port, cidrs }) => ({
          direction,
          protocol,
          cidrs,
          ...(port === undefined ? {} : { port: port === "any" ? "1-65535" : port }),
        })),
      );
}

/** Takes a server out of the records: addresses are freed, or go with it; firewalls and volumes let go of it. */
export function forgetServer(cloud: Cloud, id: number): void {
  const { state } = cloud;
  state.servers = state.servers.filter((server) => server.id !== id);
  state.primaryIps = state.primaryIps.filter((ip) => !(ip.assignee === id && ip.autoDelete));
  for (const ip of state.primaryIps) {
    ip.assignee = ip.assignee === id ? null : ip.assignee;
  }
  for (const firewall of state.firewalls) {
    firewall.appliedTo = firewall.appliedTo.filter((target) => !(target.type === "server" && target.server === id));
  }
  for (const volume of state.volumes) {
    volume.server = volume.server === id ? null : volume.server;
  }
}

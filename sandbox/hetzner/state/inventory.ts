import type { State } from "./model.ts";

/** Everything that exists in the project, by name; a list's length is the count. Snapshots go by their description. */
export interface Inventory {
  readonly servers: readonly {
    readonly id: number;
    readonly name: string;
    readonly status: string;
    readonly ipv4: string | null;
  }[];
  readonly primaryIps: readonly { readonly name: string; readonly ip: string; readonly server: string | null }[];
  readonly sshKeys: readonly string[];
  readonly firewalls: readonly string[];
  readonly snapshots: readonly string[];
  readonly volumes: readonly string[];
  readonly runningActions: readonly string[];
}

export function inventory(state: State): Inventory {
  const ipv4 = (server: number): string | null =>
    state.primaryIps.find((ip) => ip.assignee === server && ip.type === "ipv4")?.ip ?? null;
  return {
    servers: state.servers.map(({ id, name, status }) => ({ id, name, status, ipv4: ipv4(id) })),
    primaryIps: state.primaryIps.map(({ name, ip, assignee }) => ({
      name,
      ip,
      server: state.servers.find(({ id }) => id === assignee)?.name ?? null,
    })),
    sshKeys: state.sshKeys.map(({ name }) => name),
    firewalls: state.firewalls.map(({ name }) => name),
    snapshots: state.snapshots.map(({ description }) => description),
    volumes: state.volumes.map(({ name }) => name),
    runningActions: state.actions.filter(({ status }) => status === "running").map(({ command }) => command),
  };
}

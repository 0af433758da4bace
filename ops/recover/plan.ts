import type { Fault } from "../../shared/errors.ts";

/**
 * What to do after an interrupted run, decided from plain data.
 *
 * The engine notes an operation as pending before it begins and takes the note away when it ends. A killed run
 * leaves notes; only those of creates matter: the thing may exist without the state knowing its id. It is looked
 * up under its name, which is unique at its place, and removed, for nothing can depend on what no state knew.
 * Importing it instead would keep a machine whose first boot may have been cut short.
 */
export type Kind = "server" | "primary ip" | "firewall" | "ssh key" | "container" | "network";

/** The kinds that live at Hetzner; the others live in the server's Docker. */
export const hetznerKinds: readonly Kind[] = ["server", "primary ip", "firewall", "ssh key"];

const kinds: Readonly<Record<string, Kind>> = {
  "hcloud:index/server:Server": "server",
  "hcloud:index/primaryIp:PrimaryIp": "primary ip",
  "hcloud:index/firewall:Firewall": "firewall",
  "hcloud:index/sshKey:SshKey": "ssh key",
  "docker:index/container:Container": "container",
  "docker:index/network:Network": "network",
};

/** What goes first: a thing must outlive nothing that uses it. */
const order: readonly Kind[] = ["container", "network", "server", "primary ip", "firewall", "ssh key"];

interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** The part of `pulumi stack export` that is used here. */
export interface ExportedState {
  readonly deployment: {
    readonly resources?: readonly StateResource[];
    readonly pending_operations?: readonly { readonly resource: StateResource; readonly type: string }[];
  };
}

/** A thing found at its place. Docker's things carry no label and are `ours` by their name. */
export interface Found {
  readonly kind: Kind;
  readonly id: string;
  readonly name: string;
  readonly ours: boolean;
  /** ISO time; absent for Docker's things. */
  readonly created?: string;
  /** Id of the server that a primary IP is assigned to. */
  readonly assignedTo?: string;
}

export interface Observed {
  readonly found: readonly Found[];
  /** Whether the server's Docker answered. */
  readonly dockerReachable: boolean;
  /** Start of the interrupted run; undefined if unknown. */
  readonly since?: Date;
}

export interface RecoveryPlan {
  /** Things to remove, in this order. */
  readonly remove: readonly Found[];
  /** URNs whose pending note is dropped. */
  readonly drop: readonly string[];
  /** What a person should know, though it stops nothing. */
  readonly notes: readonly string[];
  /** What a person has to decide; with any, nothing is done. */
  readonly faults: readonly Fault[];
}

/** A pending create of something that has a name to be looked up by. */
export interface Wanted {
  readonly urn: string;
  readonly kind: Kind;
  readonly name: string;
}

/** The creates that were under way and can be looked up. */
export function wantedOf(state: ExportedState): Wanted[] {
  return (state.deployment.pending_operations ?? []).flatMap(({ resource, type }) => {
    const kind = kinds[resource.type];
    const name = resource.inputs?.["name"];
    return type === "creating" && kind !== undefined && typeof name === "string"
      ? [{ urn: resource.urn, kind, name }]
      : [];
  });
}

/** Clocks of this machine and of the provider may differ by so much. */
const SKEW_MS = 120_000;

/** What to remove, what to drop, what to ask: see the head of this file. */
export function planRecovery(state: ExportedState, observed: Observed): RecoveryPlan {
  const resources = state.deployment.resources ?? [];
  const known = new Set(
    resources.flatMap(({ type, id }) => {
      const kind = kinds[type];
      return kind !== undefined && id !== undefined && id !== "" ? [`${kind} ${id}`] : [];
    }),
  );
  const wanted = wantedOf(state);
  const faults: Fault[] = [];
  const notes: string[] = [];
  const remove = observed.found.filter((thing) => {
    if (!thing.ours || known.has(`${thing.kind} ${thing.id}`)) return false;
    const asked = wanted.some(({ kind, name }) => kind === thing.kind && name === thing.name);
    const young =
      observed.since !== undefined &&
      thing.created !== undefined &&
      Date.parse(thing.created) >= observed.since.getTime() - SKEW_MS;
    if (!asked && !young) {
      notes.push(
        `${thing.kind} ${thing.name} (id ${thing.id}) carries this stack's label, but the state does not know it`,
      );
      return false;
    }
    if (thing.assignedTo !== undefined && known.has(`server ${thing.assignedTo}`)) {
      faults.push({
        key: `Hetzner ${thing.kind} ${thing.name}`,
        found: `in use by server ${thing.assignedTo}, but unknown to the state`,
        fix: `import it: \`pulumi import hcloud:index/primaryIp:PrimaryIp ${thing.name} ${thing.id}\`, or unassign it`,
      });
      return false;
    }
    return true;
  });
  const serverKnown = [...known].some((each) => each.startsWith("server "));
  const unseen = wanted.filter(({ kind }) => !hetznerKinds.includes(kind));
  // A Hetzner server that the state does not know goes, and its Docker with it. An existing machine stays.
  const atHetzner = [...resources, ...(state.deployment.pending_operations ?? []).map(({ resource }) => resource)].some(
    ({ type }) => type.startsWith("hcloud:"),
  );
  if (unseen.length > 0 && !observed.dockerReachable && (serverKnown || !atHetzner)) {
    faults.push({
      key: unseen.map(({ kind, name }) => `${kind} ${name}`).join(", "),
      found: "was being created; the server's Docker does not answer, so its state is unknown",
      fix: "start the server and see that `vpai ssh` gets in, then run this command again",
    });
  }
  return {
    remove: remove.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)),
    drop: (state.deployment.pending_operations ?? []).map(({ resource }) => resource.urn),
    notes,
    faults,
  };
}

/** The exported state without its pending notes, for `pulumi stack import`. */
export function withoutPending(state: ExportedState): ExportedState {
  const { pending_operations: _dropped, ...deployment } = state.deployment;
  return { ...state, deployment };
}

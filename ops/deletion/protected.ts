import type { StateResource } from "../engine/state.ts";
import type { Fault } from "../../shared/errors.ts";
import type { Collection } from "./leftovers.ts";
import { judge, type PlannedStep, type StackFacts } from "./consequences.ts";

/** The refusal to destroy a protected stack; undefined where it may be destroyed. */
export function protectedFault(
  resources: readonly StateResource[],
  setting: boolean,
  facts: StackFacts,
): Fault | undefined {
  const own = resources.filter(({ type, custom }) => custom === true && !type.startsWith("pulumi:"));
  const guarded = own.filter(({ protect }) => protect === true);
  if (own.length === 0 || (!setting && guarded.length === 0)) return undefined;
  const steps = own.map(({ urn, type }) => ({ op: "delete", urn, type, real: true }));
  const lost = judge(steps, { ...facts, disabled: [] }).consequences;
  const { stack } = facts;
  const again = `\`vpai up --stack ${stack}\`, then \`vpai destroy --stack ${stack}\``;
  return {
    key: "vpai:protect",
    found: `${
      setting ? "true" : `false now, but the ${guarded.length} protected resources do not know it yet`
    }; nothing has been touched. \`destroy\` would delete ${own.length} resources:\n${lost
      .map((line) => `    - ${line}`)
      .join("\n")}`,
    allowed: "false, and an `up` since then",
    fix: setting ? `save the data, \`vpai pulumi --stack ${stack} -- config set vpai:protect false\`, ${again}` : again,
  };
}

const collections: Readonly<Record<string, Collection>> = {
  "hcloud:index/server:Server": "servers",
  "hcloud:index/primaryIp:PrimaryIp": "primary_ips",
  "hcloud:index/firewall:Firewall": "firewalls",
  "hcloud:index/sshKey:SshKey": "ssh_keys",
  "hcloud:index/volume:Volume": "volumes",
};

/** `<collection> <id>` of everything at Hetzner that a state knows. */
export function knownAtHetzner(resources: readonly StateResource[]): Set<string> {
  return new Set(
    resources.flatMap(({ type, id }) => {
      const collection = collections[type];
      return collection !== undefined && id !== undefined && id !== "" ? [`${collection} ${id}`] : [];
    }),
  );
}

/** Steps that end with a deletion at the provider. */
const DELETES = new Set(["delete", "replace", "create-replacement", "delete-replaced"]);

/** What Hetzner still protects, by the state, of what a run may delete: the provider does not lift it by itself. */
export function guardedAtHetzner(
  resources: readonly StateResource[],
  isDeleted: (urn: string) => boolean,
): { readonly collection: Collection; readonly id: string }[] {
  return resources.flatMap(({ urn, type, id, outputs }) => {
    const collection = collections[type];
    const guarded = outputs?.["deleteProtection"] === true && isDeleted(urn);
    return collection !== undefined && id !== undefined && guarded ? [{ collection, id }] : [];
  });
}

/** Whether a run's steps delete a resource. */
export function deletedBy(steps: readonly PlannedStep[]): (urn: string) => boolean {
  const urns = new Set(steps.filter(({ op }) => DELETES.has(op)).map(({ urn }) => urn));
  return (urn) => urns.has(urn);
}

/** Flags with which the engine asks the program for its providers' credentials, instead of the state. */
export function presentCredentials(resources: readonly StateResource[]): string[] {
  return resources.some(({ type }) => type === "pulumi:providers:hcloud") ? ["--run-program"] : [];
}

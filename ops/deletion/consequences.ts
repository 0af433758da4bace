import type { EngineEvent } from "../engine/progress.ts";
import type { Fault } from "../../shared/errors.ts";

/** What a run would do to one resource. */
export interface PlannedStep {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  /** Not a component, and not the engine's own. */
  readonly real: boolean;
}

/** What the judgement needs to know of the stack. */
export interface StackFacts {
  readonly stack: string;
  /** Services that the stack file takes out: their deletion is what the operator asked for. */
  readonly disabled: readonly string[];
  /** Generated secrets by name, and whether data depends on them; one that is not listed may be permanent. */
  readonly permanent: Readonly<Record<string, boolean>>;
}

/** A run's deletions, judged. */
export interface Judgement {
  /** What is lost, one line a thing; empty when the run may go on unasked. */
  readonly consequences: readonly string[];
  /** The program would leave nothing of the stack. */
  readonly empty: boolean;
}

/** A run that deletes more than so many resources is not an everyday one. */
export const HANDFUL = 10;

const REPLACING = new Set(["replace", "create-replacement", "delete-replaced"]);

/** Collects the steps of a run from the engine's events. */
export class StepCollector {
  readonly #steps = new Map<string, PlannedStep>();

  readonly add = ({ resourcePreEvent, resOutputsEvent }: EngineEvent): void => {
    for (const event of [resourcePreEvent, resOutputsEvent]) {
      if (!event) continue;
      const { op, urn, type, old, new: fresh } = event.metadata;
      const real = !type.startsWith("pulumi:") && (fresh?.custom ?? old?.custom ?? false);
      // A replacement is several steps of one resource, and so is a deletion that a refresh found first.
      this.#steps.set(`${urn} ${op}`, { op, urn, type, real });
    }
  };

  get steps(): readonly PlannedStep[] {
    return [...this.#steps.values()];
  }
}

const nameOf = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

/** Judges what a run would delete or replace, in terms of what is lost. */
export function judge(steps: readonly PlannedStep[], facts: StackFacts): Judgement {
  const real = steps.filter(({ real: isReal }) => isReal);
  const replaced = real.filter(({ op }) => REPLACING.has(op));
  const deleted = real.filter(({ op, urn }) => op === "delete" && !replaced.some((each) => each.urn === urn));
  const empty = real.every(({ op }) => op === "delete");
  const unique = [...new Map(replaced.map((step) => [step.urn, step])).values()];
  const lost = [
    ...deleted.flatMap((step) => consequence(step, "deleted", facts)),
    ...unique.flatMap((step) => consequence(step, "replaced", facts)),
  ];
  const accidental = deleted.filter(({ urn }) => !asked(urn, facts.disabled));
  const many = accidental.length > HANDFUL ? [`${accidental.length} resources are deleted: ${listed(accidental)}`] : [];
  return { consequences: [...lost, ...many], empty };
}

function listed(steps: readonly PlannedStep[]): string {
  const names = steps.map(({ urn }) => nameOf(urn));
  const shown = names.slice(0, HANDFUL).join(", ");
  return names.length > HANDFUL ? `${shown} and ${names.length - HANDFUL} more` : shown;
}

/** Whether a resource goes because the stack file takes its service out. */
function asked(urn: string, disabled: readonly string[]): boolean {
  const name = nameOf(urn);
  return disabled.some((service) =>
    [service, `images-${service}`, `secrets-${service}`].some((own) => name === own || name.startsWith(`${own}-`)),
  );
}

/** What the loss of one resource means; nothing for one that the next run makes again as it was. */
function consequence(step: PlannedStep, how: "deleted" | "replaced", facts: StackFacts): string[] {
  const name = nameOf(step.urn);
  const again = how === "replaced" ? " and made again" : "";
  switch (step.type) {
    case "hcloud:index/server:Server":
      return [`the server (${name}) is deleted${again}: all data on it is lost`];
    case "hcloud:index/primaryIp:PrimaryIp":
      return [`the address (${name}) is given up: DNS and firewalls elsewhere that name it have to be changed`];
    case "hcloud:index/volume:Volume":
    case "docker:index/volume:Volume":
      return [`the volume ${name} is deleted${again}: its data is lost`];
    case "tls:index/privateKey:PrivateKey":
      return [`the SSH key ${name} is deleted${again}: what knows the old one is refused or refuses`];
    case "random:index/randomPassword:RandomPassword": {
      const secret = name.replace(/^secrets-/, "");
      const permanent = facts.permanent[secret];
      if (permanent === false) return [];
      return [`the permanent secret ${secret} is ${how}: what was encrypted with it can no longer be read`];
    }
    default:
      return how === "deleted" && !asked(step.urn, facts.disabled) ? serviceLoss(name) : [];
  }
}

/** What a part of a service means that goes without the stack file saying so. */
function serviceLoss(name: string): string[] {
  const database = /^(.+)-database$/.exec(name)?.[1];
  if (database !== undefined)
    return [`the database of ${database} is no longer managed: it stays on the server, its password is not kept`];
  const service = /^(.+)-container$/.exec(name)?.[1];
  return service === undefined ? [] : [`the service ${service} is removed; its data stays on the server`];
}

/** The error of a program that would leave nothing. */
export function emptyProgram(stack: string): Fault {
  return {
    key: `program of stack ${stack}`,
    found: "it yields no resources, so a run would delete everything that the stack has",
    allowed: "a program that yields the stack's resources",
    fix: `see that Pulumi.yaml names \`runtime: nodejs\` and \`main\`, and that index.ts is whole; to delete the stack: \`vpai destroy --stack ${stack}\``,
  };
}

/** What the operator reads before a run with losses. */
export function announce({ consequences }: Judgement): string[] {
  return ["This run would lose:", ...consequences.map((line) => `  - ${line}`)];
}

/** The refusal without a terminal to ask at. */
export function unconfirmed(stack: string, { consequences }: Judgement): Fault {
  return {
    key: `stack ${stack}`,
    found: `this run would lose:\n${consequences.map((line) => `    - ${line}`).join("\n")}`,
    allowed: `\`--allow-delete ${stack}\`, when that is intended; nothing has been changed`,
    fix: `look at \`vpai preview --stack ${stack}\`; save the data, then run the same command with --allow-delete ${stack}`,
  };
}

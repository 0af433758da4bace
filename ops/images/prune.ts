import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { images } from "../../components/images.ts";
import { type Fault, OperatorError } from "../../shared/errors.ts";
import { tryImageRef } from "../../shared/image-ref.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { requireChoice, type StackChoice } from "../deploy/open.ts";
import { requireSshConfig } from "../deploy/ssh.ts";
import { changedSomething } from "../smoke/scope.ts";
import type { Summary } from "../engine/progress.ts";
import { StackFile } from "../stack/config-file.ts";
import { onServer } from "../stack/on-server.ts";
import { bytes, planPrune, type PrunePlan, renderPlan, type ServerImages } from "./prune-plan.ts";

interface Pruned {
  readonly removed: readonly string[];
  readonly left: readonly { readonly id: string; readonly why: string }[];
  readonly freed: number;
}

/** `vpai images prune`. */
export async function runImagesPrune({ dryRun, ...choice }: StackChoice & { readonly dryRun: boolean }): Promise<void> {
  requireChoice(choice);
  const server = scriptOn(choice.stack, requireSshConfig(choice));
  const plan = planPrune(await server<ServerImages>({ mode: "look" }), repositoriesOf(choice.stack));
  process.stdout.write(dryRun ? renderPlan(plan) : `${await carryOut(plan, choice.stack, server)}\n`);
}

interface AfterRun extends StackChoice {
  readonly summary: Summary | undefined;
  readonly report: (line: string) => void;
}

/** The end of a run that changed something. A failure is reported and fails nothing: the stack itself has converged. */
export async function pruneAfterRun({ summary, report, ...choice }: AfterRun): Promise<void> {
  if (!changedSomething(summary)) return;
  try {
    report(await prune(choice.stack, requireSshConfig(choice)));
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    report(`! images were not pruned:\n${error.message}`);
  }
}

/** Prunes, and says what was freed. @param config the configuration for ssh, relative to the clone */
export async function prune(stack: string, config: string): Promise<string> {
  const server = scriptOn(stack, config);
  return carryOut(planPrune(await server<ServerImages>({ mode: "look" }), repositoriesOf(stack)), stack, server);
}

type Server = <T>(plan: object) => Promise<T>;

async function carryOut({ remove, record }: PrunePlan, stack: string, server: Server): Promise<string> {
  const { removed, left, freed } = await server<Pruned>({ mode: "remove", images: remove.map(({ id }) => id), record });
  const nameOf = (id: string): string => remove.find((each) => each.id === id)?.name ?? id;
  const faults = left.map(({ id, why }): Fault => ({
    key: `image ${nameOf(id)}`,
    found: `not removed: ${why}`,
    fix: `\`vpai ssh --stack ${stack} docker ps --all\` names the containers; then \`vpai images prune --stack ${stack}\` again`,
  }));
  if (faults.length > 0) throw new OperatorError(faults);
  return removed.length === 0 ? "no unused image" : `unused images: ${removed.length} removed, ${bytes(freed)} freed`;
}

/** Repositories of the catalogue, and of the stack's own images. */
function repositoriesOf(stack: string): Set<string> {
  const pins = [...Object.values(images).map(({ pin }) => pin), ...Object.values(StackFile.read(stack).images)];
  return new Set(pins.flatMap((pin) => tryImageRef(pin)?.repository ?? []));
}

/** Runs the script on the server. */
function scriptOn(stack: string, config: string): Server {
  return async <T>(plan: object): Promise<T> => {
    const printed = await onServer({
      stack,
      config,
      // The plan has no character that a shell reads within single quotes: ids, and names of services.
      words: ["sudo", "-n", "python3", "-I", "-", `'${JSON.stringify(plan)}'`],
      input: await readFile(join(PROJECT_ROOT, "files", "host", "images.py"), "utf8"),
      seconds: 300,
      fault: (found) => ({
        key: `images of the server of stack ${stack}`,
        found,
        fix: `\`vpai ssh --stack ${stack} docker image ls\`, then \`vpai images prune --stack ${stack}\` again`,
      }),
    });
    return JSON.parse(printed) as T;
  };
}

import { createInterface } from "node:readline/promises";
import { OperatorError } from "../../shared/errors.ts";
import { SANDBOX, type StackContext } from "../stack/context.ts";
import { pulumiOutput, ensureStack, runOperation, type Operation } from "../engine/run.ts";
import type { RunContext } from "../engine/error-hints.ts";
import { availableTypes } from "../recover/hetzner.ts";
import type { UpCheck } from "../images/before-up.ts";
import { createScreen, type Screen } from "../stack/terminal.ts";
import { MOST_VERBOSE } from "../engine/redacted-log.ts";
import { openStack, recoverIfNeeded, requireChoice, type StackChoice } from "./open.ts";

interface OperationOptions extends StackChoice {
  readonly flags: readonly string[];
  /** Services that the run is for. @default all */
  readonly only?: readonly string[];
  readonly yes: boolean;
  /** Writes the engine's verbose output to the log, without secrets. */
  readonly verbose?: boolean;
}

/** `vpai up|preview|refresh|destroy`. */
export async function runStackOperation(verb: Operation, options: OperationOptions): Promise<void> {
  requireChoice(options);
  if (options.only) (await import("./target.ts")).requireTarget(options.only, options.stack);
  const asks = options.stack !== SANDBOX && !options.yes && (verb === "up" || verb === "destroy");
  if (asks && !process.stdin.isTTY) {
    throw new OperatorError({
      key: `vpai ${verb} --stack ${options.stack}`,
      found: "stdin is not a terminal; cannot ask for confirmation",
      fix: `look at \`vpai preview --stack ${options.stack}\`, then add --yes`,
    });
  }
  const screen = createScreen();
  const report = (line: string): void => screen.line(line);
  const { context, world } = await openStack(options, report);
  if (verb !== "preview") await recoverIfNeeded(context, report);
  await ensureStack(context);
  const some = options.only && (await (await import("./target.ts")).planTarget(context, options.only));
  some?.notes.forEach(report);
  const flags = [...(some?.flags ?? []), ...options.flags];
  const succeeded = await beforeRun(verb, { context, world, report, only: some?.images });
  if (asks && !(await confirmed(verb, context, flags, screen))) {
    screen.line("nothing was changed");
    return;
  }
  const all = [...(options.verbose ? MOST_VERBOSE : []), ...flags];
  const { log } = await runOperation(verb, context, { screen, flags: all, helpExplain: errorContext(context) });
  await succeeded();
  screen.line(`full output: ${log}`);
}

/** Checks before the engine runs; returns what to do after a successful run. */
async function beforeRun(verb: Operation, check: UpCheck): Promise<() => Promise<void>> {
  if (verb === "up") return (await import("../images/before-up.ts")).checkBeforeUp(check);
  if (verb === "destroy")
    return async () => (await import("../images/checked-cache.ts")).forgetChecked(check.context.workDir);
  return () => Promise.resolve();
}

/** Shows what would change, then asks. */
async function confirmed(
  verb: Operation,
  context: StackContext,
  flags: readonly string[],
  screen: Screen,
): Promise<boolean> {
  if (verb === "up") await runOperation("preview", context, { screen, flags, helpExplain: errorContext(context) });
  else screen.line(`all resources of stack ${context.stack} will be deleted, with all data on its server`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const wanted = verb === "up" ? "yes" : context.stack;
  const answer = await terminal.question(
    `${verb === "up" ? "Apply these changes?" : "Delete them?"} Type "${wanted}" to continue: `,
  );
  terminal.close();
  return answer.trim() === wanted;
}

/** Details for an explanation: what Hetzner offers instead of a type that is sold out. */
export function errorContext(context: StackContext): (output: string) => Promise<Partial<RunContext>> {
  const endpoint = context.env["HCLOUD_ENDPOINT"] ?? "https://api.hetzner.cloud/v1";
  return async (output) => {
    const token = context.env["HCLOUD_TOKEN"];
    if (token === undefined || !output.includes("resource_unavailable")) return { endpoint };
    // The explanation must not fail because this detail is missing.
    const available = await availableTypes({ endpoint, token }).catch(() => []);
    return { endpoint, available };
  };
}

/** `vpai recover`. */
export async function runRecover(options: StackChoice): Promise<void> {
  const screen = createScreen();
  const { context } = await openStack(options, (line) => screen.line(line));
  const { needsRecovery, recover } = await import("../recover/recover.ts");
  const needed = await needsRecovery(context);
  await recover(context, (line) => screen.line(line));
  screen.line(needed ? "resolved: `up` can run" : "no interrupted run found");
}

/** `vpai output`. */
export async function runOutput(
  name: string | undefined,
  options: StackChoice & { readonly showSecrets: boolean },
): Promise<void> {
  const screen = createScreen();
  const { context } = await openStack(options, (line) => screen.line(line));
  const secrets = options.showSecrets ? ["--show-secrets"] : [];
  const text = await pulumiOutput(context, ["stack", "output", "--json", "--stack", context.stack, ...secrets]);
  const all = JSON.parse(text) as Record<string, unknown>;
  if (name === undefined) return void process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
  const value = all[name];
  if (value === undefined) {
    throw new OperatorError({
      key: `output of stack ${options.stack}`,
      found: name,
      allowed: Object.keys(all).join(", ") || "none: the stack has not been brought up",
      fix: `choose one, or run \`vpai up --stack ${options.stack}\` first`,
    });
  }
  process.stdout.write(`${typeof value === "string" ? value : JSON.stringify(value, undefined, 2)}\n`);
}

import type { Access } from "../../components/service/plan/access.ts";
import { OperatorError } from "../../shared/errors.ts";
import { pulumiOutput } from "../engine/run.ts";
import { accessTable, hideSecrets } from "../services/access-table.ts";
import type { StackContext } from "../stack/context.ts";
import { createScreen } from "../stack/terminal.ts";
import { openRunningStack, type StackChoice } from "./open.ts";

interface OutputOptions extends StackChoice {
  /** Secrets are printed; without it on a terminal alone, so that none gets into a log. */
  readonly showSecrets: boolean;
  readonly json: boolean;
}

/** `vpai output`: how to reach the services and log in, or one of the stack's outputs. */
export async function runOutput(name: string | undefined, options: OutputOptions): Promise<void> {
  const { context } = await openRunningStack(options, (line) => createScreen().line(line));
  if (name !== undefined) {
    const value = pick(await outputsOf(context, options.showSecrets), name, options.stack);
    const asIs = typeof value === "string" && !options.json;
    return void process.stdout.write(`${asIs ? value : JSON.stringify(value, undefined, 2)}\n`);
  }
  const rows = pick(await outputsOf(context, true), "access", options.stack) as Access[];
  const open = options.showSecrets || (process.stdout.isTTY && !options.json);
  const shown = open ? rows : hideSecrets(rows);
  process.stdout.write(options.json ? `${JSON.stringify(shown, undefined, 2)}\n` : accessTable(shown));
  if (!open) process.stderr.write("secrets are hidden: add --show-secrets\n");
}

async function outputsOf(context: StackContext, showSecrets: boolean): Promise<Record<string, unknown>> {
  const secrets = showSecrets ? ["--show-secrets"] : [];
  const text = await pulumiOutput(context, ["stack", "output", "--json", "--stack", context.stack, ...secrets]);
  return JSON.parse(text) as Record<string, unknown>;
}

function pick(outputs: Readonly<Record<string, unknown>>, name: string, stack: string): unknown {
  const value = outputs[name];
  if (value !== undefined) return value;
  throw new OperatorError({
    key: `output of stack ${stack}`,
    found: `${name} is not among its outputs`,
    allowed: Object.keys(outputs).join(", ") || "none: the stack has not been brought up",
    fix: `choose one, or run \`vpai up --stack ${stack}\` first`,
  });
}

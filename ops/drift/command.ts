import { OperatorError } from "../../shared/errors.ts";
import { openRunningStack, type StackChoice } from "../deploy/open.ts";
import { needsRecovery } from "../recover/recover.ts";
import { createScreen } from "../stack/terminal.ts";
import { inspect } from "./inspect.ts";
import { driftReport, renderDrift } from "./table.ts";

/** Exit code of `vpai drift` when there is any. */
const DRIFT = 2;

/** `vpai drift`. */
export async function runDrift({ json, ...choice }: StackChoice & { readonly json: boolean }): Promise<void> {
  const screen = createScreen();
  const { context } = await openRunningStack(choice, (line) => screen.line(line));
  if (context.files && (await needsRecovery(context))) {
    screen.line("! a run is under way, or was interrupted: what it changes may show as drift");
  }
  const inspection = await inspect(context);
  if (inspection === undefined) {
    throw new OperatorError({
      key: `stack ${choice.stack}`,
      found: "no server: nothing to compare with",
      fix: `run \`vpai up --stack ${choice.stack}\` first`,
    });
  }
  const { drifts } = inspection;
  process.stdout.write(
    json ? `${JSON.stringify(driftReport(choice.stack, drifts), undefined, 2)}\n` : renderDrift(choice.stack, drifts),
  );
  if (drifts.length > 0) process.exitCode = DRIFT;
}

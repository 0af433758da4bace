import { writeFile } from "node:fs/promises";
import { OperatorError } from "../../shared/errors.ts";
import { requireChoice, type StackChoice } from "../deploy/open.ts";
import { duration, type Summary } from "../engine/progress.ts";
import { SANDBOX } from "../stack/context.ts";
import { smokeScope } from "./scope.ts";
import { smokeCounts, smokeFaults, smokeJunit, smokeTable } from "./report.ts";
import { runSmoke } from "./run.ts";

interface SmokeOptions extends StackChoice {
  readonly json: boolean;
  /** Where JUnit's XML is written. */
  readonly junit?: string;
}

/** `vpai smoke`. */
export async function runSmokeCommand(options: SmokeOptions): Promise<void> {
  requireChoice(options);
  const results = await runSmoke(options);
  if (options.junit !== undefined) await writeFile(options.junit, smokeJunit(results, options.stack));
  process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : smokeTable(results));
  if (results.some(({ outcome }) => outcome === "failed")) process.exitCode = 1;
}

interface AfterRun extends StackChoice {
  readonly summary: Summary | undefined;
  readonly only?: readonly string[];
  /** The engine's flags as the operator gave them. */
  readonly flags: readonly string[];
  readonly report: (line: string) => void;
}

/** The end of a run that changed something. @throws OperatorError when a check fails */
export async function smokeAfterRun({ summary, only, flags, report, ...choice }: AfterRun): Promise<void> {
  const scope = smokeScope(summary, flags);
  if (scope === "nothing") return;
  if (scope === "unknown") {
    return report(
      `a run of some resources: \`vpai smoke --stack ${choice.stack}${instanceFlag(choice)}\` checks the whole stack`,
    );
  }
  await checkServices(choice, only, report);
}

const instanceFlag = ({ stack, instance }: StackChoice): string =>
  stack === SANDBOX && instance !== SANDBOX ? ` --instance ${instance}` : "";

/** The smoke checks of some services, or of all. @throws OperatorError when one fails */
export async function checkServices(
  choice: StackChoice,
  only: readonly string[] | undefined,
  report: (line: string) => void,
): Promise<void> {
  const from = Date.now();
  const results = await runSmoke(choice, only);
  const faults = smokeFaults(results, choice.stack, instanceFlag(choice));
  report(`${faults.length === 0 ? "✓" : "✗"} smoke tests: ${smokeCounts(results)} ${duration(Date.now() - from)}`);
  if (faults.length > 0) throw new OperatorError(faults);
}

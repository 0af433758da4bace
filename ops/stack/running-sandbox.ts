import { OperatorError } from "../../shared/errors.ts";
import { instanceOf, readWorldFile } from "../../sandbox/supervisor/instance.ts";
import { SANDBOX } from "./context.ts";

/** @throws OperatorError when there is no such sandbox */
export async function requireRunning(instance: string): Promise<void> {
  if ((await readWorldFile(instanceOf(instance))) !== undefined) return;
  throw new OperatorError({
    key: `sandbox ${instance}`,
    found: "not up",
    fix: instance === SANDBOX ? "run `vpai start`" : `run \`vpai start --instance ${instance}\``,
  });
}

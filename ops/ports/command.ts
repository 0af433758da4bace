import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { requireStack } from "../stack/context.ts";
import { declaredPorts } from "./declared.ts";
import { portsJson, portsTable } from "./table.ts";

/** `vpai ports`. */
export function runPorts({ stack, json }: { readonly stack: string; readonly json: boolean }): void {
  requireStack(stack);
  const plan = declaredPorts(stack, readFileSync(join(PROJECT_ROOT, `Pulumi.${stack}.yaml`), "utf8"));
  process.stdout.write(json ? portsJson(plan) : portsTable(plan));
}

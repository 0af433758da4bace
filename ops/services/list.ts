import { catalogue } from "../../stacks/catalogue.ts";
import { requireStack } from "../stack/context.ts";
import { stackPins } from "../images/stack-images.ts";
import { serviceRows, servicesTable } from "./table.ts";
import { StackFile } from "../stack/config-file.ts";

/** `vpai services`. */
export function runServices({ stack, json }: { readonly stack?: string; readonly json: boolean }): void {
  if (stack !== undefined) requireStack(stack);
  const file = stack === undefined ? new StackFile("") : StackFile.read(stack);
  for (const notice of file.notices) process.stderr.write(`! ${notice}\n`);
  const rows = serviceRows(
    catalogue.filter(({ name }) => !file.disabledServices.includes(name)),
    { size: file.size, domain: file.domain ?? "<domain>", pins: stackPins(file) },
  );
  process.stdout.write(json ? `${JSON.stringify(rows, undefined, 2)}\n` : servicesTable(rows, file.size));
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "../../shared/errors.ts";
import { SANDBOX } from "../stack/context.ts";
import { requireChoice, type StackChoice } from "./open.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** The configuration for ssh that the program wrote for a stack; paths in it are relative to the clone. */
export function requireSshConfig(choice: StackChoice): string {
  const config = join(".vpai", choice.stack === SANDBOX ? choice.instance : choice.stack, "ssh", "config");
  if (existsSync(join(PROJECT_ROOT, config))) return config;
  throw new OperatorError({
    key: config,
    found: "no such file: this stack has not been brought up from this clone",
    fix: choice.stack === SANDBOX ? "run `vpai start`" : `run \`vpai up --stack ${choice.stack}\``,
  });
}

/** `vpai ssh`: becomes ssh. */
export async function runSsh(command: readonly string[], choice: StackChoice): Promise<void> {
  requireChoice(choice);
  const config = requireSshConfig(choice);
  const child = spawn("ssh", ["-F", config, "vpai", ...command], { cwd: PROJECT_ROOT, stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
}

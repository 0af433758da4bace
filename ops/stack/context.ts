import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../../shared/errors.ts";
import { stateFiles, type StateFiles } from "./file-backend.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** The stack that runs in the sandbox. */
export const SANDBOX = "sandbox";

/** What every command on a stack needs to know. */
export interface StackContext {
  readonly stack: string;
  /** Work folder, absolute. */
  readonly workDir: string;
  /** Work folder as the operator would write it, relative to the clone. */
  readonly relativeWorkDir: string;
  /** The engine's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The stack's files in a `file://` backend; undefined for another backend. */
  readonly files?: StateFiles;
}

/** Stacks that have a file, by name. */
export function knownStacks(clone = PROJECT_ROOT): string[] {
  return readdirSync(clone)
    .flatMap((file) => /^Pulumi\.([A-Za-z0-9_.-]+)\.yaml$/.exec(file)?.[1] ?? [])
    .toSorted();
}

/** Refuses a stack that has no file, before anything is started for it. */
export function requireStack(stack: string, clone = PROJECT_ROOT): void {
  const known = knownStacks(clone);
  if (known.includes(stack)) return;
  throw new OperatorError({
    key: "--stack",
    found: stack,
    allowed: known.join(", "),
    fix: `choose one of them, or make Pulumi.${stack}.yaml (Pulumi.prod.yaml is a pattern)`,
  });
}

/** Refuses a sandbox that would share the work folder of a real stack: `sandbox down` removes that folder. */
export function requireInstance(instance: string, clone = PROJECT_ROOT): string {
  const real = knownStacks(clone).filter((stack) => stack !== SANDBOX);
  if (!real.includes(instance)) return instance;
  throw new OperatorError({
    key: "--instance",
    found: instance,
    allowed: `any name but those of stacks (${real.join(", ")})`,
    fix: "choose another, such as try",
  });
}

/** Refuses a real stack in a shell that has a sandbox's environment: state and Hetzner would be the sandbox's. */
export function requireOwnShell(stack: string, env: Readonly<Record<string, string | undefined>>): void {
  const { VPAI_SANDBOX_GATEWAY: gateway, HCLOUD_ENDPOINT: endpoint } = env;
  if (stack === SANDBOX || !gateway || !endpoint?.includes(gateway)) return;
  throw new OperatorError({
    key: "HCLOUD_ENDPOINT",
    found: `${endpoint}, a sandbox's: this shell has evaluated \`vpai sandbox env\``,
    allowed: `an environment of its own for --stack ${stack}`,
    fix: "run the command in another shell",
  });
}

export function projectName(clone = PROJECT_ROOT): string {
  const file = join(clone, "Pulumi.yaml");
  if (!existsSync(file)) throw new Error(`no Pulumi.yaml in ${clone}`);
  return /^name:\s*["']?([A-Za-z0-9_.-]+)/m.exec(readFileSync(file, "utf8"))?.[1] ?? "vpai";
}

/**
 * The engine's environment. The toolchain's values beat the operator's (its PATH already holds the operator's),
 * and the sandbox's beat all: no token or passphrase of a shell may let a sandbox run reach real infrastructure.
 */
export function mergeEnv(
  user: Readonly<Record<string, string | undefined>>,
  toolchain: Readonly<Record<string, string>>,
  world: Readonly<Record<string, string>> | undefined,
  work: string,
): Record<string, string> {
  const merged: Record<string, string> = {};
  const layers = [user, { VPAI_WORK: work }, toolchain, world ?? {}];
  for (const [key, value] of layers.flatMap((layer) => Object.entries(layer))) {
    if (value !== undefined) merged[key] = value;
  }
  if (world) delete merged["PULUMI_CONFIG_PASSPHRASE_FILE"];
  // --event-log is one of the engine's debug flags; it is refused unless this is set.
  merged["PULUMI_DEBUG_COMMANDS"] = "true";
  return merged;
}

/** The context of `stack` from its merged environment; makes the work folder. */
export async function stackContext(
  stack: string,
  relativeWorkDir: string,
  env: Record<string, string>,
): Promise<StackContext> {
  const workDir = join(PROJECT_ROOT, relativeWorkDir);
  await mkdir(join(workDir, "logs"), { recursive: true, mode: 0o700 });
  const files = stateFiles(env["PULUMI_BACKEND_URL"], projectName(), stack);
  return { stack, workDir, relativeWorkDir, env, ...(files ? { files } : {}) };
}

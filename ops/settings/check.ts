import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Fault, OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { imagePins } from "../../stacks/catalogue.ts";
import { checkDeployment } from "../../stacks/check.ts";
import { zonePlace } from "../../stacks/settings/dns.ts";
import type { ZonePlace } from "../../components/dns/open-zone.ts";
import { throughVpai } from "../engine/plain-engine.ts";
import { SANDBOX, type StackContext } from "../stack/context.ts";
import type { World } from "../../sandbox/supervisor/client.ts";
import { backendFaults, isOwnBackend } from "./backend-url.ts";
import { Decrypter, passphraseOf } from "./passphrase.ts";
import { projectFaults, readStackText, type StackText } from "./project-file.ts";

/** Everything that the settings of a stack are made of. */
export interface StackInput {
  readonly stack: string;
  /** Text of Pulumi.yaml. */
  readonly project: string;
  /** Text of Pulumi.<stack>.yaml. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of the image lock; undefined where there is none. */
  readonly lock?: string | undefined;
}

export interface CheckedStack {
  readonly faults: readonly Fault[];
  readonly notices: readonly string[];
  /** Secret settings that have a value, by name below `vpai:`; without those that could not be decrypted. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Kind of the server; undefined when the settings do not parse. */
  readonly provider?: "hetzner" | "existing";
  /** Where the records of the domain are written. */
  readonly zone?: ZonePlace;
  /** Whether the records of the domain are made by hand, and checked. */
  readonly checksDns?: boolean;
}

/** Checks all settings of a stack, with its files and the environment, without the engine: everything at once. */
export function checkStack({ stack, project, file, env, lock }: StackInput): CheckedStack {
  const text = readStackText(stack, file);
  const environment = [...projectFaults(project), ...backendFaults(env["PULUMI_BACKEND_URL"])];
  const { secrets, faults: secretFaults } = decrypted(stack, text, env);
  const before = [...environment, ...text.faults, ...secretFaults];
  // A file that does not parse has no settings, and each would be reported as missing.
  if (text.file.faults.length > 0) return { faults: worded(before, stack), notices: [], secrets: {} };
  const checked = checkDeployment({
    stack,
    config: Object.fromEntries(Object.entries({ ...text.config, ...secrets }).map(asText)),
    encrypted: Object.keys(text.encrypted),
    env,
    ...(lock === undefined ? {} : { lock }),
  });
  const faults = checked.faults.filter(({ key }) => !isUnread(key, text, secrets));
  const zone = zonePlace(checked.settings);
  const { dns } = checked.settings;
  return {
    faults: worded([...before, ...faults], stack),
    notices: checked.notices,
    secrets,
    provider: checked.settings.vps.provider,
    ...(zone && { zone }),
    ...(dns.provider === "none" && dns.zone !== undefined && { checksDns: true }),
  };
}

const asText = ([key, value]: [string, unknown]): [string, string] => [
  key,
  typeof value === "string" ? value : (JSON.stringify(value) ?? ""),
];

/** Whether a fault is about a secret that is set, and that could not be decrypted here. */
const isUnread = (key: string, text: StackText, secrets: Readonly<Record<string, string>>): boolean =>
  Object.keys(text.encrypted).some((name) => !(name in secrets) && key.includes(`vpai:${name}`));

const worded = (faults: readonly Fault[], stack: string): Fault[] =>
  faults.map((fault) => ({ ...fault, fix: throughVpai(fault.fix, stack) }));

/** The secrets of a stack's file. Of those that a service or a key store encrypts, the program checks the values. */
function decrypted(
  stack: string,
  { encrypted, salt, provider }: StackText,
  env: StackInput["env"],
): { readonly secrets: Record<string, string>; readonly faults: readonly Fault[] } {
  if (provider !== undefined && provider !== "passphrase") return { secrets: {}, faults: [] };
  const { passphrase, faults } = passphraseOf(env);
  if (faults.length > 0) return { secrets: {}, faults };
  if (passphrase === undefined) {
    const needed = salt !== undefined || isOwnBackend(env["PULUMI_BACKEND_URL"] ?? "");
    return { secrets: {}, faults: needed ? [noPassphrase(stack)] : [] };
  }
  if (salt === undefined) {
    const [name] = Object.keys(encrypted);
    return { secrets: {}, faults: name === undefined ? [] : [noSalt(stack)] };
  }
  try {
    const decrypter = new Decrypter(salt, passphrase, stack);
    const values = Object.entries(encrypted).map(([name, text]) => ({ name, value: decrypter.decrypt(text) }));
    return {
      secrets: Object.fromEntries(values.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
      faults: values.flatMap(({ name, value }) => (value === undefined ? [undecipherable(name)] : [])),
    };
  } catch (error) {
    if (error instanceof OperatorError) return { secrets: {}, faults: error.faults };
    throw error;
  }
}

const noPassphrase = (stack: string): Fault => ({
  key: "PULUMI_CONFIG_PASSPHRASE",
  found: "not set, and PULUMI_CONFIG_PASSPHRASE_FILE neither",
  allowed: `the passphrase of stack ${stack}'s secrets`,
  fix: "set one of the two; for a new stack choose a passphrase, and keep it",
});

const noSalt = (stack: string): Fault => ({
  key: `Pulumi.${stack}.yaml: encryptionsalt`,
  found: "not set, and the file has encrypted settings",
  allowed: "the line that the engine wrote with the first secret",
  fix: "put it back from the file's history, or set the secrets again",
});

const undecipherable = (name: string): Fault => ({
  key: `vpai:${name}`,
  found: "encrypted with another passphrase, or damaged",
  allowed: "a value that was encrypted with this stack's passphrase",
  fix: `\`pulumi config set --secret vpai:${name}\``,
});

/** Values of the form that the sandbox has, for the time before it is up. */
const SANDBOX_ENV = {
  BACKUP_ACCESS_KEY_ID: "0".repeat(20),
  BACKUP_SECRET_ACCESS_KEY: "0".repeat(40),
  PULUMI_CONFIG_PASSPHRASE: "sandbox",
  HCLOUD_TOKEN: "0".repeat(64),
  ANTHROPIC_API_KEY: `sk-ant-${"0".repeat(64)}`,
  OPENAI_API_KEY: `sk-${"0".repeat(64)}`,
};

/** The settings of a stack of this clone. */
export function stackInput(stack: string, env: NodeJS.ProcessEnv = process.env, clone = PROJECT_ROOT): StackInput {
  const read = (name: string): string => readFileSync(join(clone, name), "utf8");
  const input = { stack, project: read("Pulumi.yaml"), file: read(`Pulumi.${stack}.yaml`) };
  if (stack !== SANDBOX) {
    const lock = join(clone, env["VPAI_WORK"] ?? `.vpai/${stack}`, "images.json");
    return { ...input, env, ...(existsSync(lock) && { lock: readFileSync(lock, "utf8") }) };
  }
  // Its images are published by `start`; which are missing is reported by the program.
  const { images = {} } = readStackText(stack, input.file).config as { images?: Readonly<Record<string, string>> };
  const pins = Object.values(imagePins(typeof images === "object" ? images : {}));
  return { ...input, env: SANDBOX_ENV, lock: JSON.stringify(Object.fromEntries(pins.map((pin) => [pin, pin]))) };
}

/** @throws OperatorError with every fault, before anything is started */
export function requireSettings(input: StackInput, report: (line: string) => void): CheckedStack {
  const checked = checkStack(input);
  for (const notice of checked.notices) report(notice);
  if (checked.faults.length > 0) throw new OperatorError(checked.faults);
  return checked;
}

/** See new-keys.ts. Its HTTP client is loaded only where it is needed. */
export async function verifyNewKeys(
  checked: CheckedStack,
  context: StackContext,
  world: World | undefined,
  report: (line: string) => void,
): Promise<void> {
  const { requireNewKeys } = await import("./new-keys.ts");
  await requireNewKeys(checked, context, world, report);
  if (checked.zone) await (await import("./dns-rights.ts")).requireDnsRights(checked.zone, checked, context, report);
}

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { repositoryOf } from "../../components/backup/plan.ts";
import { stackSecrets } from "../../components/service/plan/secrets.ts";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { catalogue } from "../../stacks/catalogue.ts";
import { openRunningStack, type StackChoice } from "../deploy/open.ts";
import { pulumiOutput } from "../engine/run.ts";
import { StackFile } from "../stack/config-file.ts";
import type { StackContext } from "../stack/context.ts";
import { createScreen } from "../stack/terminal.ts";
import { kitFingerprint, type KitParts, kitText, passphraseOf } from "./kit.ts";

interface KitOptions extends StackChoice {
  /** File that is made. @default vpai-<stack>-recovery.age in this folder */
  readonly out?: string;
  /** Public keys of age that open it, in place of a passphrase. */
  readonly recipients: readonly string[];
}

/** `vpai recovery-kit`. */
export async function runRecoveryKit({ out, recipients, ...choice }: KitOptions): Promise<void> {
  const { stack } = choice;
  const file = resolve(out ?? `vpai-${stack}-recovery.age`);
  requireFree(file);
  const screen = createScreen();
  const { context } = await openRunningStack(choice, (line) => screen.line(line));
  const parts = await partsOf(context);
  const passphrase = recipients.length === 0 ? passphraseOf(randomBytes(30)) : undefined;
  await writeFile(`${file}.new`, await seal(kitText(parts), recipients, passphrase), { mode: 0o600 });
  await rename(`${file}.new`, file);
  await remember(context, parts);
  screen.line(`${file}: the recovery kit of stack ${stack}. Keep it off this machine and off the server.`);
  if (passphrase === undefined) return;
  screen.line("The passphrase opens it, and is shown once. Write it down, and keep it apart from the file:");
  process.stdout.write(`${passphrase}\n`);
}

function requireFree(file: string): void {
  if (!existsSync(file)) return;
  throw new OperatorError({
    key: "--out",
    found: `${file}, which exists`,
    allowed: "a file that does not exist yet",
    fix: "move the older kit away, or choose another name",
  });
}

/** @throws OperatorError when a recipient is none */
async function seal(text: string, recipients: readonly string[], passphrase: string | undefined): Promise<Uint8Array> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new OperatorError({
        key: "--recipient",
        found: recipient,
        allowed: "a public key of age: age1…",
        fix: "copy it again: `age-keygen` prints it",
      });
    }
  }
  if (passphrase !== undefined) encrypter.setPassphrase(passphrase);
  return encrypter.encrypt(text);
}

async function partsOf(context: StackContext): Promise<KitParts> {
  const { stack, env } = context;
  const file = StackFile.read(stack);
  const [outputs, state] = await Promise.all([
    pulumiOutput(context, ["stack", "output", "--json", "--show-secrets", "--stack", stack]),
    pulumiOutput(context, ["stack", "export", "--stack", stack]),
  ]);
  const { secrets } = JSON.parse(outputs) as { secrets?: Record<string, string> };
  if (secrets === undefined)
    throw new OperatorError({
      key: `stack ${stack}`,
      found: "without any secret: it has not been brought up",
      fix: `\`vpai up --stack ${stack}\` first`,
    });
  const planned = Object.entries(stackSecrets(catalogue));
  const passphrase = env["PULUMI_CONFIG_PASSPHRASE"];
  return {
    stack,
    made: new Date().toISOString(),
    stackFile: readFileSync(join(PROJECT_ROOT, `Pulumi.${stack}.yaml`), "utf8"),
    ...(passphrase !== undefined && passphrase !== "" && { passphrase }),
    secrets,
    permanent: planned.flatMap(([name, { permanent }]) => (permanent && name in secrets ? [name] : [])),
    ...(file.backup && { repository: repositoryOf(stack, file.backup) }),
    state: JSON.parse(state) as unknown,
  };
}

const record = ({ workDir }: StackContext): string => join(workDir, "recovery-kit.json");

async function remember(context: StackContext, parts: KitParts): Promise<void> {
  await mkdir(context.workDir, { recursive: true });
  await writeFile(record(context), JSON.stringify({ made: parts.made, fingerprint: kitFingerprint(parts) }));
}

/** What `vpai doctor` finds about a stack's kit: when it was made, or why another one is needed. */
export async function kitStatus(
  context: StackContext,
): Promise<{ readonly found: string; readonly outdated: boolean }> {
  if (!existsSync(record(context))) return { found: "never made from this clone", outdated: true };
  const { made, fingerprint } = JSON.parse(readFileSync(record(context), "utf8")) as Record<
    "made" | "fingerprint",
    string
  >;
  const outdated = kitFingerprint(await partsOf(context)) !== fingerprint;
  return { found: `made ${made.slice(0, 10)}${outdated ? ", and secrets have changed since" : ""}`, outdated };
}

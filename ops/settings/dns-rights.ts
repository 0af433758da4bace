import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Credentials, credentialsOf } from "../../components/dns/credentials.ts";
import { openZone, type ZonePlace } from "../../components/dns/open-zone.ts";
import { OvhError } from "../../components/dns/ovh/client.ts";
import { OperatorError } from "../../shared/errors.ts";
import { throughVpai } from "../engine/plain-engine.ts";
import type { StackContext } from "../stack/context.ts";
import type { CheckedStack } from "./check.ts";
import { parseVerified } from "./verify-keys.ts";

type Env = Readonly<Record<string, string | undefined>>;

const secretsOf = ({ provider }: ZonePlace, { secrets }: Pick<CheckedStack, "secrets">, env: Env): Credentials =>
  credentialsOf(provider, (key) => secrets[key], env);

/**
 * Tries every right that the run needs in the zone.
 *
 * @returns why it could not be tried, where the provider does not answer
 * @throws OperatorError naming the right that is missing
 */
export async function tryDnsRights(
  place: ZonePlace,
  checked: Pick<CheckedStack, "secrets">,
  env: Env,
): Promise<string | undefined> {
  try {
    await openZone(place, secretsOf(place, checked, env)).tryRights();
    return undefined;
  } catch (error) {
    if (error instanceof OvhError) return error.message;
    throw error;
  }
}

/** Before the first resource: once for each zone and its keys. */
export async function requireDnsRights(
  place: ZonePlace,
  checked: CheckedStack,
  { stack, env, workDir }: StackContext,
  report: (line: string) => void,
): Promise<void> {
  const file = join(workDir, "verified-dns.json");
  const known = parseVerified(existsSync(file) ? readFileSync(file, "utf8") : undefined);
  const subject = JSON.stringify([place, secretsOf(place, checked, env)]);
  const digest = createHmac("sha256", known.salt).update(subject).digest("hex");
  if (known.digests["dns"] === digest) return;
  try {
    const untried = await tryDnsRights(place, checked, env);
    if (untried !== undefined) return report(`the rights in the zone ${place.zone} are not tried: ${untried}`);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    throw new OperatorError(error.faults.map((fault) => ({ ...fault, fix: throughVpai(fault.fix, stack) })));
  }
  await writeFile(`${file}.new`, `${JSON.stringify({ ...known, digests: { dns: digest } })}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

import { existsSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { World } from "../../sandbox/supervisor/client.ts";
import { OperatorError } from "../../shared/errors.ts";
import { givenSecrets } from "../../stacks/settings/parse.ts";
import { secretValue } from "../../stacks/settings/secret-rules.ts";
import { throughVpai } from "../engine/plain-engine.ts";
import type { StackContext } from "../stack/context.ts";
import type { CheckedStack } from "./check.ts";
import { parseVerified, type ProviderKey, verifyKeys } from "./verify-keys.ts";

const HETZNER = "https://api.hetzner.cloud/v1";

/** Has providers verify the keys that they have not taken before. */
export async function requireNewKeys(
  { secrets, provider }: CheckedStack,
  { stack, env, workDir }: StackContext,
  world: World | undefined,
  report: (line: string) => void,
): Promise<void> {
  const keys = givenSecrets(secrets, env).flatMap(({ key, name, text }): ProviderKey[] => {
    const value = secretValue(key, text);
    // HCLOUD_TOKEN may be set for something else.
    const isUsed = key !== "hetznerToken" || provider === "hetzner";
    return value !== undefined && isUsed ? [{ key, name, value }] : [];
  });
  const file = join(workDir, "verified-keys.json");
  const known = parseVerified(existsSync(file) ? readFileSync(file, "utf8") : undefined);
  const through = world && { address: world.gateway, ca: readFileSync(world.caFile, "utf8") };
  const hetzner = env["HCLOUD_ENDPOINT"] ?? HETZNER;
  const { faults, notices, verified } = await verifyKeys(keys, known, { hetzner, through });
  notices.forEach(report);
  if (JSON.stringify(verified) !== JSON.stringify(known)) {
    await writeFile(`${file}.new`, `${JSON.stringify(verified)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  if (faults.length === 0) return;
  throw new OperatorError(faults.map((fault) => ({ ...fault, fix: throughVpai(fault.fix, stack) })));
}

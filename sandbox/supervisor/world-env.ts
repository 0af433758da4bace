import { join } from "node:path";
import type { Instance, WorldFile } from "./instance.ts";

/** The simulated Hetzner's API, with version. */
export const hetznerEndpoint = ({ gateway }: WorldFile): string => `http://${gateway}:8080/v1`;

/** What a process needs in its environment to work on a sandbox instead of the real world. */
export const worldEnv = (
  { dir, relativeDir }: Pick<Instance, "dir" | "relativeDir">,
  file: WorldFile,
): Record<string, string> => ({
  HCLOUD_TOKEN: file.hetznerToken,
  HCLOUD_ENDPOINT: hetznerEndpoint(file),
  ANTHROPIC_API_KEY: file.anthropicKey,
  OPENAI_API_KEY: file.openaiKey,
  BACKUP_ACCESS_KEY_ID: file.backupAccessKeyId,
  BACKUP_SECRET_ACCESS_KEY: file.backupSecretAccessKey,
  VPAI_WORK: relativeDir,
  VPAI_PUBLIC_PORT: String(file.port),
  PULUMI_BACKEND_URL: `file://${join(dir, "state")}`,
  PULUMI_CONFIG_PASSPHRASE: "sandbox",
});

import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { projectName, type StackContext } from "../stack/context.ts";
import { stateFiles } from "../stack/file-backend.ts";
import { pulumiOutput, stackExists } from "./run.ts";

/** A stack to preview, with the engine's flags for it. */
export interface PreviewStack {
  readonly context: StackContext;
  readonly flags: readonly string[];
  remove(): Promise<void>;
}

/**
 * A stack to preview that changes nothing. The engine previews only a stack that its backend has, and making one there
 * writes a salt into the stack's file: a stack that does not exist yet is made in a temporary folder instead.
 */
export async function previewStack(context: StackContext): Promise<PreviewStack> {
  if (await stackExists(context)) return { context, flags: [], remove: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), "vpai-preview-"));
  const file = `Pulumi.${context.stack}.yaml`;
  const backend = `file://${folder}`;
  const files = stateFiles(backend, projectName(), context.stack);
  const scratch: StackContext = {
    ...context,
    env: { ...context.env, PULUMI_BACKEND_URL: backend },
    ...(files && { files }),
  };
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    for (const name of ["Pulumi.yaml", file]) await copyFile(join(PROJECT_ROOT, name), join(folder, name));
    const init = ["stack", "init", context.stack, "--no-select", "--secrets-provider", "passphrase"];
    await pulumiOutput(scratch, ["--cwd", folder, ...init, "--non-interactive"]);
    return { context: scratch, flags: ["--config-file", join(folder, file)], remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

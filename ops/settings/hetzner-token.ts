import { SANDBOX, type StackContext } from "../stack/context.ts";

/** Hetzner's token as the program reads it: the stack's own, then the environment's, which may be another project's. */
export async function presentHetznerToken({ stack, env }: StackContext): Promise<string | undefined> {
  // A sandbox's token is in its environment, and what the settings need takes a while to load.
  const configured = stack === SANDBOX ? undefined : (await settingsSecrets(stack))["hetznerToken"];
  return configured ?? env["HCLOUD_TOKEN"];
}

/** The settings' secrets by name below `vpai:`; those that can be decrypted here. */
export async function settingsSecrets(stack: string): Promise<Readonly<Record<string, string>>> {
  const { stackInput, checkStack } = await import("./check.ts");
  return checkStack(stackInput(stack)).secrets;
}

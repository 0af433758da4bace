import { resourcesOf } from "../engine/state.ts";
import { unprotect } from "../recover/hetzner.ts";
import { hetznerAccess } from "../recover/recover.ts";
import { StackFile } from "../stack/config-file.ts";
import type { StackContext } from "../stack/context.ts";
import { guardedAtHetzner } from "./protected.ts";

/**
 * Lifts Hetzner's own protection from what a run has been allowed to delete. The provider does not: a replacement deletes
 * the server that is protected, before it makes the one that is not (terraform-provider-hcloud 1.60, resourceServerDelete).
 */
export async function liftProtection(context: StackContext, isDeleted: (urn: string) => boolean): Promise<void> {
  if (!StackFile.read(context.stack).atHetzner) return;
  const guarded = guardedAtHetzner(await resourcesOf(context), isDeleted);
  if (guarded.length === 0) return;
  const access = await hetznerAccess(context, { deployment: {} });
  if (access === undefined) return;
  for (const { collection, id } of guarded) await unprotect(access, collection, id);
}

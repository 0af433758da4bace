import { readFile } from "node:fs/promises";
import type { StackContext } from "../stack/context.ts";
import { readCheckpoint } from "../stack/file-backend.ts";
import { pulumiOutput } from "./run.ts";

/** The part of a resource in the engine's state that is used here. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly custom?: boolean;
  readonly protect?: boolean;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** The stack's resources, as its state has them. */
export async function resourcesOf(context: StackContext): Promise<readonly StateResource[]> {
  if (context.files && (await readCheckpoint(context.files)) === "absent") return [];
  const text = await pulumiOutput(context, ["stack", "export", "--stack", context.stack]);
  return (JSON.parse(text) as { deployment: { resources?: StateResource[] } }).deployment.resources ?? [];
}

/** Whether the state has a server at Hetzner; where it is a file of this machine, without a start of the engine. */
export async function hasHetznerServer(context: StackContext): Promise<boolean> {
  if (!context.files) return (await resourcesOf(context)).some(({ type }) => type === "hcloud:index/server:Server");
  if ((await readCheckpoint(context.files)) === "absent") return false;
  return /"type":\s*"hcloud:index\/server:Server"/.test(await readFile(context.files.checkpoint, "utf8"));
}

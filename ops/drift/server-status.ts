import { setTimeout as pause } from "node:timers/promises";
import { callHetzner, HETZNER_ENDPOINT, type HetznerAccess, unexpected } from "../../components/vps/hetzner/api.ts";
import { presentHetznerToken } from "../settings/hetzner-token.ts";
import type { StackContext } from "../stack/context.ts";
import type { Drift } from "./drift.ts";
import type { Expected, ExpectedServer } from "./expected.ts";

/** The present token over the recorded one: it may have been rotated since. */
async function accessOf({ endpoint, token }: ExpectedServer, context: StackContext): Promise<HetznerAccess> {
  return { endpoint: endpoint ?? HETZNER_ENDPOINT, token: (await presentHetznerToken(context)) ?? token };
}

/** The difference of a server that its provider does not call running. */
export async function serverStatus({ server }: Expected, context: StackContext): Promise<Drift | undefined> {
  if (server === undefined) return undefined;
  return statusDrift(server, await statusAtHetzner(await accessOf(server, context), server), context.stack);
}

/** Pure part of {@link serverStatus}; `status` is Hetzner's word, undefined for a server that it does not know. */
export function statusDrift(
  { name, id }: Pick<ExpectedServer, "name" | "id">,
  status: string | undefined,
  stack: string,
): Drift | undefined {
  if (status === "running") return undefined;
  const resource = `server ${name}`;
  if (status === "off") return { resource, expected: "running", actual: "off", repair: { kind: "power-on" } };
  const fix =
    status === undefined
      ? `see in Hetzner's console what became of it; \`vpai refresh --stack ${stack}\` and \`vpai up --stack ${stack}\` make an empty one`
      : "wait until Hetzner has finished, then run the command again";
  const actual = status === undefined ? `Hetzner knows no server with the id ${id}` : status;
  return { resource, expected: "running", actual, repair: { kind: "lost", fix } };
}

async function statusAtHetzner(access: HetznerAccess, { id }: ExpectedServer): Promise<string | undefined> {
  const path = `/servers/${id}`;
  const answer = await callHetzner(access, "GET", path);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw unexpected("GET", path, answer);
  return (answer.body["server"] as { status: string }).status;
}

/** Switches the server on and waits until Hetzner calls it running. */
export async function powerOn(server: ExpectedServer, context: StackContext, deadlineMs = 180_000): Promise<void> {
  const access = await accessOf(server, context);
  const path = `/servers/${server.id}/actions/poweron`;
  const answer = await callHetzner(access, "POST", path);
  if (answer.status >= 400) throw unexpected("POST", path, answer);
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const status = await statusAtHetzner(access, server);
    if (status === "running") return;
    if (Date.now() > deadline)
      throw new Error(`Hetzner: server ${server.name} is ${status} after ${deadlineMs / 1000} s, not running`);
    await pause(500);
  }
}

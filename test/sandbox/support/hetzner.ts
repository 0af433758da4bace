import type { World } from "../../../sandbox/supervisor/client.ts";
import { eventually } from "./ssh.ts";

interface Action {
  readonly id: number;
  readonly status: "running" | "success" | "error";
  readonly error: unknown;
}

interface Server {
  readonly id: number;
  readonly status: string;
  readonly public_net: { readonly ipv4: { readonly ip: string } };
}

/** Speaks to the simulated Hetzner as plain HTTP, with no library between. */
export async function api<T>(world: World, method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${world.hetzner.endpoint}${path}`, {
    method,
    headers: { authorization: `Bearer ${world.hetzner.token}`, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === "" ? {} : JSON.parse(text)) as T;
}

/** Asks for an action on a server and waits for its end. */
export async function act(world: World, server: number, verb: string, body: object = {}): Promise<void> {
  const { action } = await api<{ action: Action }>(world, "POST", `/servers/${server}/actions/${verb}`, body);
  await ended(world, action.id);
}

export async function ended(world: World, action: number): Promise<void> {
  const look = async () => (await api<{ action: Action }>(world, "GET", `/actions/${action}`)).action;
  const last = await eventually(`action ${action}`, 60, look, ({ status }) => status !== "running");
  if (last.status !== "success") throw new Error(`action ${action} failed: ${JSON.stringify(last.error)}`);
}

export async function makeServer(world: World, request: object): Promise<{ id: number; ip: string }> {
  const made = await api<{ server: Server; action: Action }>(world, "POST", "/servers", {
    server_type: "cx23",
    location: "fsn1",
    ...request,
  });
  await ended(world, made.action.id);
  return { id: made.server.id, ip: made.server.public_net.ipv4.ip };
}

export const serverStatus = async (world: World, id: number): Promise<string> =>
  (await api<{ server: Server }>(world, "GET", `/servers/${id}`)).server.status;

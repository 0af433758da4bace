import { setTimeout as pause } from "node:timers/promises";
import { callHetzner, type HetznerAccess, listHetzner, unexpected } from "../../components/vps/hetzner/api.ts";
import type { OfferedType } from "../../components/vps/hetzner/choose-offer.ts";
import type { Found, Kind } from "./plan.ts";

/** The label that everything of a stack carries at Hetzner. */
export const STACK_LABEL = "vpai-stack";

const paths: Readonly<Partial<Record<Kind, string>>> = {
  server: "servers",
  "primary ip": "primary_ips",
  firewall: "firewalls",
  "ssh key": "ssh_keys",
};

interface Entry {
  readonly id: number;
  readonly name: string;
  readonly created: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly assignee_id?: number | null;
}

/** Everything at Hetzner that carries the label of `stack`. */
export async function findLabelled(access: HetznerAccess, stack: string): Promise<Found[]> {
  const query = `label_selector=${encodeURIComponent(`${STACK_LABEL}==${stack}`)}`;
  const lists = (Object.entries(paths) as [Kind, string][]).map(async ([kind, path]) =>
    (await listHetzner<Entry>(access, path, query)).map((entry): Found => ({
      kind,
      id: String(entry.id),
      name: entry.name,
      ours: entry.labels?.[STACK_LABEL] === stack,
      created: entry.created,
      ...(typeof entry.assignee_id === "number" ? { assignedTo: String(entry.assignee_id) } : {}),
    })),
  );
  return (await Promise.all(lists)).flat();
}

/** A server is `locked` while one of its actions runs; a firewall is in use until its server is deleted. */
const BUSY = new Set(["locked", "conflict", "resource_in_use", "must_be_unassigned"]);

/** Removes one thing and waits until Hetzner no longer knows it. */
export async function removeAtHetzner(access: HetznerAccess, thing: Found, deadlineMs = 180_000): Promise<void> {
  const path = `/${paths[thing.kind] ?? ""}/${thing.id}`;
  const deadline = Date.now() + deadlineMs;
  let last = "";
  while (Date.now() < deadline) {
    const answer = await callHetzner(access, "DELETE", path);
    if (answer.status === 404) return;
    last = `${answer.status} ${answer.code}`;
    if (answer.code === "protected") {
      await unprotect(access, paths[thing.kind] ?? "", thing.id);
      continue;
    }
    if (answer.status >= 400 && !BUSY.has(answer.code)) throw unexpected("DELETE", path, answer);
    const seen = await callHetzner(access, "GET", path);
    if (seen.status === 404) return;
    await pause(500);
  }
  throw new Error(
    `Hetzner: ${thing.kind} ${thing.name} is still there after ${deadlineMs / 1000} s; last answer: ${last}`,
  );
}

/** Takes Hetzner's own protection from a thing, whose deletion has been allowed; a server is locked until that is done. */
export async function unprotect(access: HetznerAccess, collection: string, id: string): Promise<void> {
  const path = `/${collection}/${id}/actions/change_protection`;
  const body = collection === "servers" ? { delete: false, rebuild: false } : { delete: false };
  const answer = await callHetzner(access, "POST", path, body);
  if (answer.status === 404) return;
  if (answer.status >= 400) throw unexpected("POST", path, answer);
  const action = answer.body["action"] as { id?: number } | undefined;
  if (action?.id === undefined) return;
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { body: seen } = await callHetzner(access, "GET", `/actions/${action.id}`);
    if ((seen["action"] as { status?: string } | undefined)?.status !== "running") return;
    if (Date.now() > deadline) throw new Error(`Hetzner: ${path} is still running after 60 s`);
    await pause(200);
  }
}

/** Server types that are available now, such as `cx33 at nbg1`. */
export async function availableTypes(access: HetznerAccess): Promise<string[]> {
  const types = await listHetzner<OfferedType>(access, "server_types");
  return types
    .filter(({ deprecated }) => deprecated !== true)
    .flatMap(({ name, locations = [] }) => {
      const places = locations.filter(({ available }) => available === true).map((location) => location.name);
      return places.length === 0 ? [] : [`${name} at ${places.join("/")}`];
    });
}

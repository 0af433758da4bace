import { setTimeout as pause } from "node:timers/promises";
import { OperatorError } from "../../shared/errors.ts";
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

interface ServerType {
  readonly name: string;
  readonly deprecated?: boolean;
  readonly locations?: readonly { readonly name: string; readonly available?: boolean }[];
}

/** Where the API is, and the right to use it. */
export interface HetznerAccess {
  readonly endpoint: string;
  readonly token: string;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly code: string;
}

async function request({ endpoint, token }: HetznerAccess, method: "GET" | "DELETE", path: string): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`${endpoint}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(30_000),
    });
  } catch (error) {
    throw new OperatorError({
      key: "Hetzner API",
      found: `${endpoint} does not answer (${error instanceof Error ? error.message : String(error)})`,
      fix: "see that this machine reaches it (HCLOUD_ENDPOINT names another), then run the command again",
    });
  }
  const text = await response.text();
  const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
  const code = (body["error"] as { code?: string } | undefined)?.code ?? "";
  if (response.status === 401) {
    throw new OperatorError({
      key: "Hetzner token",
      found: `refused by ${endpoint} (${code})`,
      allowed: "an API token of the project, with read and write access",
      fix: "correct `vpai:hetznerToken` in the stack's configuration, or HCLOUD_TOKEN",
    });
  }
  return { status: response.status, body, code };
}

/** Tries again while Hetzner is busy or out of order; ten tries, half a minute in all. */
async function steady(access: HetznerAccess, method: "GET" | "DELETE", path: string): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await request(access, method, path);
    const passing = answer.status === 429 || answer.status >= 500;
    if (!passing) return answer;
    if (attempt === 10) throw new Error(`Hetzner: ${method} ${path}: ${answer.status} ${answer.code}, ten times`);
    await pause(Math.min(250 * 2 ** attempt, 5_000));
  }
}

async function list(access: HetznerAccess, path: string, query: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let page: number | undefined = 1; page !== undefined;) {
    const { status, body, code } = await steady(access, "GET", `/${path}?${query}&per_page=50&page=${page}`);
    if (status !== 200) throw new Error(`Hetzner: GET /${path}: ${status} ${code}`);
    entries.push(...((body[path] as Entry[] | undefined) ?? []));
    const meta = body["meta"] as { pagination?: { next_page?: number | null } } | undefined;
    page = meta?.pagination?.next_page ?? undefined;
  }
  return entries;
}

/** Everything at Hetzner that carries the label of `stack`. */
export async function findLabelled(access: HetznerAccess, stack: string): Promise<Found[]> {
  const query = `label_selector=${encodeURIComponent(`${STACK_LABEL}==${stack}`)}`;
  const lists = (Object.entries(paths) as [Kind, string][]).map(async ([kind, path]) =>
    (await list(access, path, query)).map((entry): Found => ({
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
    const { status, code } = await steady(access, "DELETE", path);
    if (status === 404) return;
    last = `${status} ${code}`;
    if (status >= 400 && !BUSY.has(code)) throw new Error(`Hetzner: DELETE ${path}: ${last}`);
    const seen = await steady(access, "GET", path);
    if (seen.status === 404) return;
    await pause(500);
  }
  throw new Error(
    `Hetzner: ${thing.kind} ${thing.name} is still there after ${deadlineMs / 1000} s; last answer: ${last}`,
  );
}

/** Server types that are available now, such as `cx33 at nbg1`. */
export async function availableTypes(access: HetznerAccess): Promise<string[]> {
  const { body } = await steady(access, "GET", "/server_types?per_page=50");
  const types = (body["server_types"] as ServerType[] | undefined) ?? [];
  return types
    .filter(({ deprecated }) => deprecated !== true)
    .flatMap(({ name, locations = [] }) => {
      const places = locations.filter(({ available }) => available === true).map((location) => location.name);
      return places.length === 0 ? [] : [`${name} at ${places.join("/")}`];
    });
}

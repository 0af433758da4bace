import { setTimeout as pause } from "node:timers/promises";
import { OperatorError } from "../../shared/errors.ts";
import { callHetzner, type HetznerAccess, HetznerAnswerError, listHetzner } from "../../components/vps/hetzner/api.ts";
import {
  COLLECTIONS,
  type Collection,
  describe,
  destroyFix,
  type Labelled,
  leftoverFault,
  placed,
  type Prices,
  sortLeftovers,
  sortUnknown,
  UNKNOWN_FIX,
} from "./leftovers.ts";
import { STACK_LABEL, unprotect } from "../recover/hetzner.ts";

interface Entry {
  readonly id: number;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly type?: string;
  readonly server_type?: { readonly name: string };
  readonly location?: { readonly name: string } | null;
  readonly datacenter?: { readonly location?: { readonly name: string } } | null;
  readonly size?: number;
  readonly image_size?: number | null;
  readonly assignee_id?: number | null;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Everything at Hetzner that carries the label of `stack`, of every kind that can carry one. */
export async function labelled(access: HetznerAccess, stack: string): Promise<Labelled[]> {
  const query = `label_selector=${encodeURIComponent(`${STACK_LABEL}==${stack}`)}`;
  const lists = COLLECTIONS.map(async (collection) =>
    (await listHetzner<Entry>(access, collection, query))
      .filter(({ labels }) => labels?.[STACK_LABEL] === stack)
      .map((entry) => labelledOf(collection, entry)),
  );
  return (await Promise.all(lists)).flat();
}

function labelledOf(collection: Collection, entry: Entry): Labelled {
  const type = entry.server_type?.name ?? entry.type;
  const location = entry.location?.name ?? entry.datacenter?.location?.name;
  const sizeGb = entry.size ?? entry.image_size ?? undefined;
  return {
    collection,
    id: String(entry.id),
    name: entry.name ?? entry.description ?? "",
    ...(type !== undefined && { type }),
    ...(location !== undefined && { location }),
    ...(sizeGb !== undefined && { sizeGb }),
    ...(typeof entry.assignee_id === "number" && { assignedTo: String(entry.assignee_id) }),
  };
}

interface Amount {
  readonly net: string;
}

interface Pricing {
  readonly currency: string;
  readonly server_types: readonly {
    readonly name: string;
    readonly prices: readonly { readonly location: string; readonly price_monthly: Amount }[];
  }[];
  readonly primary_ips: readonly {
    readonly type: string;
    readonly prices: readonly { readonly location: string; readonly price_monthly: Amount }[];
  }[];
  readonly volume: { readonly price_per_gb_month: Amount };
  readonly image: { readonly price_per_gb_month: Amount };
}

/** What Hetzner asks for its things a month; undefined when it does not say. */
export async function pricesOf(access: HetznerAccess): Promise<Prices | undefined> {
  const { status, body } = await callHetzner(access, "GET", "/pricing");
  if (status !== 200) return undefined;
  const { currency, server_types: types, primary_ips: addresses, volume, image } = body["pricing"] as Pricing;
  return {
    currency,
    servers: pricesByPlace(types.map(({ name, prices }) => ({ type: name, prices }))),
    primaryIps: pricesByPlace(addresses),
    volumeGb: Number(volume.price_per_gb_month.net),
    imageGb: Number(image.price_per_gb_month.net),
  };
}

function pricesByPlace(
  things: readonly {
    readonly type: string;
    readonly prices: readonly { readonly location: string; readonly price_monthly: Amount }[];
  }[],
): Record<string, number> {
  return Object.fromEntries(
    things.flatMap(({ type, prices }) =>
      prices.map((each) => [placed(type, each.location), Number(each.price_monthly.net)] as const),
    ),
  );
}

/** A server is `locked` while one of its actions runs; a firewall is in use until its server is deleted. */
const BUSY = new Set(["locked", "conflict", "resource_in_use", "must_be_unassigned", "timeout"]);

export interface Deadline {
  readonly ms: number;
  readonly everyMs: number;
}

/** Deletes one thing, its delete protection first, and waits until Hetzner no longer knows it; why not, if it stays. */
async function remove(access: HetznerAccess, thing: Labelled, { ms, everyMs }: Deadline): Promise<string | undefined> {
  const path = `/${thing.collection}/${thing.id}`;
  const deadline = Date.now() + ms;
  for (let last = "no answer"; ; await pause(everyMs)) {
    const answer = await callHetzner(access, "DELETE", path).catch(unlessOperator);
    if (typeof answer === "string") last = answer;
    else if (answer.status === 404) return undefined;
    else if (answer.code === "protected") await unprotect(access, thing.collection, thing.id).catch(unlessOperator);
    else if (answer.status >= 400 && !BUSY.has(answer.code)) return `${answer.status} ${answer.code}`;
    else last = answer.code || String(answer.status);
    const seen = await callHetzner(access, "GET", path).catch(unlessOperator);
    if (typeof seen !== "string" && seen.status === 404) return undefined;
    if (Date.now() > deadline) return `still there; last answer: ${last}`;
  }
}

/** A token that is refused ends the command; an API that is out of order is an observation. */
function unlessOperator(error: unknown): string {
  if (error instanceof HetznerAnswerError) return error.faults[0]?.found ?? error.message;
  if (error instanceof OperatorError || !(error instanceof Error)) throw error;
  return error.message;
}

/** Deletes what it can of `remove`, and fails with what stays, and its price. */
async function removeOrFail(
  access: HetznerAccess,
  stack: string,
  { remove: unwanted, keep }: { readonly remove: readonly Labelled[]; readonly keep: readonly Labelled[] },
  fix: string,
  report: (line: string) => void,
  deadline: Deadline,
): Promise<void> {
  const left = keep.map((thing) => ({ thing, why: "the stack's state does not know it" }));
  for (const thing of unwanted) {
    report(`removing ${describe(thing)}: it carries the stack's label and was left behind`);
    const why = await remove(access, thing, deadline);
    if (why !== undefined) left.push({ thing, why });
  }
  if (left.length > 0) await fail(access, stack, left, fix);
}

async function fail(
  access: HetznerAccess,
  stack: string,
  left: readonly { readonly thing: Labelled; readonly why: string }[],
  fix: string,
): Promise<never> {
  throw new OperatorError(leftoverFault(stack, left, await pricesOf(access).catch(() => undefined), fix));
}

const PATIENCE: Deadline = { ms: 120_000, everyMs: 500 };

/** Deletes what is left of a destroyed stack at Hetzner; fails with what stays, and its price. */
export async function removeLeftovers(
  access: HetznerAccess,
  stack: string,
  known: ReadonlySet<string>,
  everything: boolean,
  report: (line: string) => void,
  deadline = PATIENCE,
): Promise<void> {
  const found = await labelled(access, stack);
  if (found.length === 0) return;
  await removeOrFail(access, stack, sortLeftovers(found, known, everything), destroyFix(stack), report, deadline);
  const again = await labelled(access, stack);
  if (again.length === 0) return;
  const back = again.map((thing) => ({ thing, why: "it came after the deletion" }));
  await fail(access, stack, back, destroyFix(stack));
}

/** Deletes what carries the label of a stack that stays, and its state does not know; fails with what holds data or is in use. */
export async function removeUnknown(
  access: HetznerAccess,
  stack: string,
  known: ReadonlySet<string>,
  report: (line: string) => void,
  deadline = PATIENCE,
): Promise<void> {
  const sorted = sortUnknown(await labelled(access, stack), known);
  await removeOrFail(access, stack, sorted, UNKNOWN_FIX, report, deadline);
}

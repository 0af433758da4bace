import type { Fault } from "../../shared/errors.ts";

/** One thing at Hetzner that carries a stack's label. */
export interface Labelled {
  /** Collection of the API, such as `primary_ips`. */
  readonly collection: Collection;
  readonly id: string;
  readonly name: string;
  readonly location?: string;
  /** Server type, or type of the address. */
  readonly type?: string;
  /** Size in GB, of a volume or an image. */
  readonly sizeGb?: number;
  /** Id of the server that an address is assigned to. */
  readonly assignedTo?: string;
}

/** Every collection of the API whose entries carry labels and may cost, in the order of deletion. */
export const COLLECTIONS = [
  "servers",
  "load_balancers",
  "volumes",
  "images",
  "floating_ips",
  "primary_ips",
  "firewalls",
  "networks",
  "placement_groups",
  "certificates",
  "ssh_keys",
] as const;
export type Collection = (typeof COLLECTIONS)[number];

const nouns: Readonly<Record<Collection, string>> = {
  servers: "server",
  load_balancers: "load balancer",
  volumes: "volume",
  images: "snapshot",
  floating_ips: "floating IP",
  primary_ips: "primary IP",
  firewalls: "firewall",
  networks: "network",
  placement_groups: "placement group",
  certificates: "certificate",
  ssh_keys: "SSH key",
};

/** Collections whose entries hold data that exists nowhere else. */
const HOLDS_DATA: readonly Collection[] = ["servers", "volumes", "images"];

/** Prices a month without VAT, as the API's `/pricing` has them. */
export interface Prices {
  readonly currency: string;
  /** By server type and location. */
  readonly servers: Readonly<Record<string, number>>;
  /** By type of the address and location. */
  readonly primaryIps: Readonly<Record<string, number>>;
  readonly volumeGb: number;
  readonly imageGb: number;
}

export const placed = (type = "?", location = "?"): string => `${type} at ${location}`;

/** `primary IP vpai-prod (id 12)`. */
export const describe = ({ collection, name, id }: Labelled): string => `${nouns[collection]} ${name} (id ${id})`;

/** Price of a thing a month; undefined where it is not known. */
export function monthly({ collection, type, location, sizeGb = 0 }: Labelled, prices: Prices): number | undefined {
  switch (collection) {
    case "servers":
      return prices.servers[placed(type, location)];
    case "primary_ips":
      return prices.primaryIps[placed(type, location)];
    case "volumes":
      return sizeGb * prices.volumeGb;
    case "images":
      return sizeGb * prices.imageGb;
    case "firewalls":
    case "networks":
    case "placement_groups":
    case "certificates":
    case "ssh_keys":
      return 0;
    case "load_balancers":
    case "floating_ips":
      return undefined;
  }
}

/** A price as an operator reads it. */
export function price(amount: number | undefined, currency: string): string {
  if (amount === undefined) return "price unknown";
  return amount === 0 ? "free" : `${amount.toFixed(2)} ${currency} a month`;
}

/**
 * What to do with the things that are left: those that the stack's state knew, and those without data, are deleted.
 * A server, a volume or a snapshot that it did not know may belong to another state: deleted only on request.
 */
export function sortLeftovers(
  found: readonly Labelled[],
  known: ReadonlySet<string>,
  everything: boolean,
): { readonly remove: readonly Labelled[]; readonly keep: readonly Labelled[] } {
  const kept = found.filter(
    (thing) => !everything && HOLDS_DATA.includes(thing.collection) && !known.has(`${thing.collection} ${thing.id}`),
  );
  const servers = new Set(kept.filter(({ collection }) => collection === "servers").map(({ id }) => id));
  // Its address and what guards it stay with a server that stays.
  const keep =
    servers.size === 0
      ? kept
      : found.filter((thing) => kept.includes(thing) || !known.has(`${thing.collection} ${thing.id}`));
  const remove = found
    .filter((thing) => !keep.includes(thing))
    .toSorted((a, b) => COLLECTIONS.indexOf(a.collection) - COLLECTIONS.indexOf(b.collection));
  return { remove, keep };
}

/**
 * What to do with what carries the label of a stack that stays: what its state knows is not touched, and what holds data
 * or is in use by its server is kept.
 */
export function sortUnknown(
  found: readonly Labelled[],
  known: ReadonlySet<string>,
): { readonly remove: readonly Labelled[]; readonly keep: readonly Labelled[] } {
  const isKnown = (collection: Collection, id: string): boolean => known.has(`${collection} ${id}`);
  const unknown = found.filter(({ collection, id }) => !isKnown(collection, id));
  const used = unknown.filter(({ assignedTo }) => assignedTo !== undefined && isKnown("servers", assignedTo));
  const { remove, keep } = sortLeftovers(
    unknown.filter((thing) => !used.includes(thing)),
    new Set(),
    false,
  );
  return { remove, keep: [...keep, ...used] };
}

/** What to do about leftovers of a stack that is to go. */
export const destroyFix = (stack: string): string =>
  `run \`vpai destroy --stack ${stack} --allow-delete ${stack}\`, which deletes everything that carries the label, or delete them in Hetzner's console`;

/** What to do about things with the label of a stack that stays. */
export const UNKNOWN_FIX =
  "save what they hold, then delete them in Hetzner's console; what another state knows needs a project or a stack name of its own";

/** The failure of a run that leaves things behind. */
export function leftoverFault(
  stack: string,
  left: readonly { readonly thing: Labelled; readonly why: string }[],
  prices: Prices | undefined,
  fix: string,
): Fault {
  const amounts = left.map(({ thing }) => (prices ? monthly(thing, prices) : undefined));
  const currency = prices?.currency ?? "";
  const lines = left.map(
    ({ thing, why }, index) => `    - ${describe(thing)}, ${price(amounts[index], currency)}: ${why}`,
  );
  const sum = amounts.reduce<number>((total, amount) => total + (amount ?? 0), 0);
  return {
    key: `Hetzner, label vpai-stack=${stack}`,
    found: `${left.length} left behind, ${price(sum, currency)} in all:\n${lines.join("\n")}`,
    allowed: "nothing, after this command",
    fix,
  };
}

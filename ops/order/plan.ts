import { type Offer, offerText, parseOffer, type Wanted } from "../../components/vps/hetzner/choose-offer.ts";
import type { Fault } from "../../shared/errors.ts";
import type { StateResource } from "../engine/state.ts";
import { placed, price, type Prices } from "../deletion/leftovers.ts";

/** An address in the state. */
export interface Address {
  readonly urn: string;
  readonly id: string;
  readonly location: string;
  /** Whether the engine, and Hetzner, refuse to delete it. */
  readonly protect: boolean;
}

/** What a state says of the server that is to be ordered. */
export interface Ordered {
  /** URN of the preflight, whose earlier choice counts for nothing. */
  readonly preflight?: string;
  readonly address?: Address;
}

/** Reads a state. */
export function orderedOf(resources: readonly StateResource[]): Ordered {
  const preflight = resources.find(
    ({ type, urn }) => type === "command:local:Command" && urn.endsWith("::vps-preflight"),
  );
  const address = resources.find(({ type }) => type === "hcloud:index/primaryIp:PrimaryIp");
  const location = address?.outputs?.["location"];
  return {
    ...(preflight && { preflight: preflight.urn }),
    ...(address?.id &&
      typeof location === "string" && {
        address: { urn: address.urn, id: address.id, location, protect: address.protect === true },
      }),
  };
}

/** How the engine has to run so that an offer is ordered. */
export interface OrderPlan {
  readonly flags: readonly string[];
  /** An address at another location: the engine replaces it once nothing protects it. */
  readonly release?: Address;
}

/** Plans the run that orders `offer`: the preflight looks again, and an address of another location gives way. */
export function planOrder({ preflight, address }: Ordered, offer: Offer): OrderPlan {
  const moves = address !== undefined && address.location !== offer.location;
  const replaced = [preflight, moves ? address.urn : undefined].filter((urn) => urn !== undefined);
  return { flags: replaced.flatMap((urn) => ["--replace", urn]), ...(moves && { release: address }) };
}

/** Codes with which Hetzner refuses an order that another offer may not be refused (API reference, errors). */
const CAPACITY = /\((resource_unavailable|placement_error)(?:, [0-9a-f-]+)?\)/;

/** The code with which Hetzner refused the server for lack of capacity; undefined when a run failed by something else. */
export function refusalOf(output: string): string | undefined {
  const [, server = ""] =
    /^ {2}hcloud:index[:/][sS]erver\S* \([^)]+\):\n((?: {4}.*\n|\s*\n)*)/m.exec(`${output}\n`) ?? [];
  return CAPACITY.exec(server)?.[1];
}

/** The offer that a preflight printed, as the engine's state has it. */
export function chosenOf(resources: readonly StateResource[]): Offer | undefined {
  const preflight = resources.find(({ urn }) => urn.endsWith("::vps-preflight"));
  const printed = preflight?.outputs?.["stdout"];
  return typeof printed === "string" ? parseOffer(printed) : undefined;
}

/** What is ordered, and what it costs. */
export function orderLine(offer: Offer, prices: Prices | undefined): string {
  const { type, location } = offer;
  const currency = prices?.currency ?? "";
  const server = price(prices?.servers[placed(type, location)], currency);
  const address = price(prices?.primaryIps[placed("ipv4", location)], currency);
  return `server: ${offerText(offer)}, ${server}; its address, ${address}; without VAT`;
}

/** What becomes of an order that was refused. */
export function refusedLine(offer: string, code: string): string {
  return `Hetzner refuses ${offer} (${code}), though it lists it as available: the next one is tried`;
}

/** The fault where an address that was there before the run keeps it from other locations. */
export function keptFault(fault: Fault, { locations }: Wanted, kept: string, stack: string): Fault {
  const others = locations.filter((location) => location !== kept);
  if (others.length === 0) return fault;
  return {
    ...fault,
    fix: `${fault.fix}; or with \`--allow-delete ${stack}\` have the address at ${kept} given up for one at ${others.join(", ")}`,
  };
}

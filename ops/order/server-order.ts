import { type HetznerAccess, listHetzner } from "../../components/vps/hetzner/api.ts";
import {
  chooseOffer,
  type Offer,
  type OfferedType,
  offerText,
  REFUSED_OFFERS,
  type Wanted,
} from "../../components/vps/hetzner/choose-offer.ts";
import { OperatorError } from "../../shared/errors.ts";
import { pricesOf } from "../deletion/hetzner-leftovers.ts";
import { throughVpai } from "../engine/plain-engine.ts";
import { EngineError, pulumiOutput } from "../engine/run.ts";
import { hasHetznerServer, resourcesOf } from "../engine/state.ts";
import { unprotect } from "../recover/hetzner.ts";
import { hetznerAccess } from "../recover/recover.ts";
import { StackFile } from "../stack/config-file.ts";
import type { StackContext } from "../stack/context.ts";
import { chosenOf, keptFault, orderedOf, orderLine, planOrder, refusalOf, refusedLine } from "./plan.ts";

export interface OrderRun {
  readonly context: StackContext;
  readonly report: (line: string) => void;
  /** Whether an address that was there before the run may be given up for one at another location. */
  readonly mayMove: boolean;
}

type Engine<T> = (context: StackContext, flags: readonly string[]) => Promise<T>;

/**
 * Runs the engine until a server is ordered: while the state has none, each offer is tried in turn, also if an earlier
 * run saw none, and one that Hetzner refuses for lack of capacity is followed by the next in the same run.
 */
export async function withOrder<T>(run: OrderRun, engine: Engine<T>): Promise<T> {
  const { context, mayMove } = run;
  const { wanted } = StackFile.read(context.stack);
  if (wanted === undefined) return engine(context, []);
  const refused: string[] = [];
  const replaces = await hasHetznerServer(context);
  if (replaces) {
    try {
      return await engine(context, []);
    } catch (error) {
      // The old server is deleted by then: the same run goes on to another offer, at the place of the address.
      await noteRefusal(run, error, refused);
    }
  }
  const access = await hetznerAccess(context, { deployment: {} });
  if (access === undefined) return engine(context, []);
  const { address } = orderedOf(await resourcesOf(context));
  const keeps = address !== undefined && (replaces || !mayMove) && wanted.locations.includes(address.location);
  const prices = await pricesOf(access).catch(() => undefined);
  for (;;) {
    const offer = await choose(run, { access, wanted, kept: keeps ? address.location : undefined }, refused);
    run.report(orderLine(offer, prices));
    const flags = await prepare(run, access, offer);
    try {
      return await engine({ ...context, env: { ...context.env, [REFUSED_OFFERS]: refused.join(",") } }, flags);
    } catch (error) {
      await noteRefusal(run, error, refused);
    }
  }
}

/** Adds the offer that Hetzner has refused to the list; throws the error again if it is another one. */
async function noteRefusal({ context, report }: OrderRun, error: unknown, refused: string[]): Promise<void> {
  const code = error instanceof EngineError ? refusalOf(error.output) : undefined;
  if (code === undefined || (await hasHetznerServer(context))) throw error;
  const offer = chosenOf(await resourcesOf(context));
  // Each refusal takes one offer off the list, or the run ends.
  if (offer === undefined || refused.includes(offerText(offer))) throw error;
  refused.push(offerText(offer));
  report(refusedLine(offerText(offer), code));
}

interface Order {
  readonly access: HetznerAccess;
  readonly wanted: Wanted;
  /** The only location, where an address is kept. */
  readonly kept: string | undefined;
}

async function choose({ context }: OrderRun, order: Order, refused: readonly string[]): Promise<Offer> {
  const { access, wanted, kept } = order;
  const locations = kept === undefined ? wanted.locations : [kept];
  const choice = chooseOffer(
    { types: wanted.types, locations },
    await listHetzner<OfferedType>(access, "server_types"),
    refused,
  );
  if ("offer" in choice) return choice.offer;
  const fault = kept === undefined ? choice.fault : keptFault(choice.fault, wanted, kept, context.stack);
  throw new OperatorError({ ...fault, fix: throughVpai(fault.fix, context.stack) });
}

/** Has an address at another location give way; returns the engine's flags. */
async function prepare({ context }: OrderRun, access: HetznerAccess, offer: Offer): Promise<readonly string[]> {
  const { flags, release } = planOrder(orderedOf(await resourcesOf(context)), offer);
  if (release?.protect) {
    await unprotect(access, "primary_ips", release.id);
    await pulumiOutput(context, ["state", "unprotect", release.urn, "--yes", "--stack", context.stack]);
  }
  return flags;
}

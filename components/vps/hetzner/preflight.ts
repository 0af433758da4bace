import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { OperatorError } from "../../../shared/errors.ts";
import { callHetzner, type HetznerAccess, listHetzner } from "./api.ts";
import { chooseOffer, type Offer, type OfferedType, offerText, refusedOffers, type Wanted } from "./choose-offer.ts";

/** What the preflight is asked. */
export interface PreflightArgs {
  /** Of the API, with version: `https://api.hetzner.cloud/v1`. */
  readonly endpoint: string;
  readonly wanted: Wanted;
  /** Name and public half of the key that will be registered. */
  readonly sshKey: { readonly name: string; readonly publicKey: string };
}

interface RegisteredKey {
  readonly name: string;
  readonly public_key: string;
}

interface Address {
  readonly name: string;
  readonly assignee_id?: number | null;
  readonly location?: { readonly name: string };
}

/**
 * Asks Hetzner, before anything is made there, what would otherwise fail half way: whether the token may write, whether
 * the key's name is free, and which of the candidates is available.
 *
 * @param refused offers that Hetzner has refused in this run
 */
export async function preflight(
  args: PreflightArgs,
  token: string,
  refused: readonly string[] = [],
  http: Pick<HetznerAccess, "request" | "pause"> = {},
): Promise<Offer> {
  const access: HetznerAccess = { endpoint: args.endpoint, token, ...http };
  // Without its fields it makes nothing; a token that may only read is refused for that first, if Hetzner looks at it first.
  await callHetzner(access, "POST", "/ssh_keys", {});
  const keys = await listHetzner<RegisteredKey>(access, "ssh_keys", `name=${encodeURIComponent(args.sshKey.name)}`);
  const body = (key: string): string | undefined => key.trim().split(/\s+/)[1];
  const foreign = keys.find((key) => body(key.public_key) !== body(args.sshKey.publicKey));
  if (foreign) {
    throw new OperatorError({
      key: "SSH key at Hetzner",
      found: `${foreign.name} is registered already, with another key`,
      allowed: "one Hetzner project a stack, or a stack name of its own",
      fix: `delete it in Hetzner's console if nothing uses it (hcloud ssh-key delete ${foreign.name}), or take another project`,
    });
  }
  const [types, addresses] = await Promise.all([
    listHetzner<OfferedType>(access, "server_types"),
    listHetzner<Address>(access, "primary_ips", `name=${encodeURIComponent(args.sshKey.name)}`),
  ]);
  // A server that there is stays where it is, and so does its address.
  const bound = addresses.find(({ assignee_id: server }) => typeof server === "number")?.location?.name;
  const locations = bound === undefined ? args.wanted.locations : [bound];
  const choice = chooseOffer({ types: args.wanted.types, locations }, types, refused);
  if ("fault" in choice) throw new OperatorError(choice.fault);
  return choice.offer;
}

async function main(): Promise<void> {
  const args = JSON.parse(process.argv[2] ?? "{}") as PreflightArgs;
  // The token comes on stdin: no process list shows it.
  process.stdout.write(
    offerText(await preflight(args, (await text(process.stdin)).trim(), refusedOffers(process.env))),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}

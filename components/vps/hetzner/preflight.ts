import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { OperatorError } from "../../../shared/errors.ts";
import { type HetznerAccess, listHetzner } from "./api.ts";
import { availableAt, chooseServerType, type OfferedType } from "./choose-type.ts";

/** What the preflight is asked. */
export interface PreflightArgs {
  /** Of the API, with version: `https://api.hetzner.cloud/v1`. */
  readonly endpoint: string;
  readonly wanted: readonly string[];
  readonly location: string;
  /** Name and public half of the key that will be registered. */
  readonly sshKey: { readonly name: string; readonly publicKey: string };
}

interface RegisteredKey {
  readonly name: string;
  readonly public_key: string;
}

/**
 * Asks Hetzner, before anything is made there, what would otherwise fail half way: whether the token counts, whether
 * the key's name is free, and which of the candidate server types is available. Returns the type.
 */
export async function preflight(
  args: PreflightArgs,
  token: string,
  http: Pick<HetznerAccess, "request" | "pause"> = {},
): Promise<string> {
  const access: HetznerAccess = { endpoint: args.endpoint, token, ...http };
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
  const types = await listHetzner<OfferedType>(access, "server_types");
  const known = types.map(({ name }) => name);
  const choice = chooseServerType(args.wanted, args.location, availableAt(types, args.location), known);
  if ("fault" in choice) throw new OperatorError(choice.fault);
  return choice.type;
}

async function main(): Promise<void> {
  const args = JSON.parse(process.argv[2] ?? "{}") as PreflightArgs;
  // The token comes on stdin: no process list shows it.
  process.stdout.write(await preflight(args, (await text(process.stdin)).trim()));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}

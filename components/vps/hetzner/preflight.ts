import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { OperatorError } from "../../../shared/errors.ts";
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
export async function preflight(args: PreflightArgs, token: string, request: typeof fetch = fetch): Promise<string> {
  const get = async <T>(path: string): Promise<T> => {
    const response = await request(`${args.endpoint}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(30_000),
    }).catch((error: Error) => {
      // Of its own words `fetch failed` says least; the cause names what the network answered.
      const cause = (error.cause as Error | undefined)?.message ?? error.message;
      throw new OperatorError({
        key: "Hetzner API",
        found: `${args.endpoint} does not answer (${cause})`,
        fix: "see that this machine reaches it (HCLOUD_ENDPOINT names another), then run the command again",
      });
    });
    if (response.status === 401 || response.status === 403) {
      throw new OperatorError({
        key: "vpai:hetznerToken",
        found: `refused by ${new URL(args.endpoint).host} (${response.status})`,
        allowed: "an API token with read and write access to one Hetzner project",
        fix: "make one in Hetzner's console (Security, API tokens) and `pulumi config set --secret vpai:hetznerToken`",
      });
    }
    if (!response.ok) throw new Error(`Hetzner answers ${response.status} to GET ${path}; try again later`);
    return (await response.json()) as T;
  };
  const { ssh_keys: keys } = await get<{ ssh_keys: RegisteredKey[] }>(
    `/ssh_keys?name=${encodeURIComponent(args.sshKey.name)}`,
  );
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
  const { server_types: types } = await get<{ server_types: OfferedType[] }>("/server_types?per_page=50");
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

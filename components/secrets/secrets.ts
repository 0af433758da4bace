import { createHash } from "node:crypto";
import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Host } from "../host/host.ts";
import type { PlannedSecret } from "../service/plan/secrets.ts";

export interface SecretsArgs {
  /** Every secret by name, as `planSecrets` lists them. */
  readonly plan: Readonly<Record<string, PlannedSecret>>;
  readonly host: Host;
  /** Whether the permanent ones refuse to be deleted. */
  readonly protect: boolean;
  /** Secrets of the stack's configuration, by name. */
  readonly provided?: ReadonlyMap<string, pulumi.Output<string>>;
}

const SHAPE = ["length", "special", "minLower", "minUpper", "minNumeric"];

/**
 * Generated secrets. A permanent one (an encryption key: data depends on it) is never replaced, even if its settings
 * change, and is protected in stacks that hold real data; any other may be rotated. The host remembers a fingerprint
 * of each permanent one and refuses another before anything is touched: a lost state would else overwrite the key.
 *
 *     const secrets = new Secrets("secrets", { host, plan: planSecrets(definitions), protect: true });
 *     secrets.get("n8n-encryption-key");
 */
export class Secrets extends pulumi.ComponentResource {
  /** Succeeds when the permanent secrets match those that the host's data was created with; all files depend on it. */
  readonly permanentGuard: command.remote.Command;
  readonly #values: ReadonlyMap<string, pulumi.Output<string>>;

  constructor(name: string, args: SecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vpai:secrets:Secrets", name, {}, opts);
    this.#values = new Map([
      ...(args.provided ?? []),
      ...Object.entries(args.plan).map(([secret, { length, permanent }]) => {
        const password = new random.RandomPassword(
          `${name}-${secret}`,
          // At least one of each kind: n8n refuses an owner's password without a digit and a capital.
          { length, special: false, minLower: 1, minUpper: 1, minNumeric: 1 },
          permanent ? { parent: this, protect: args.protect, ignoreChanges: [...SHAPE, "keepers"] } : { parent: this },
        );
        return [secret, pulumi.secret(password.result)] as const;
      }),
    ]);
    const permanent = Object.entries(args.plan).flatMap(([secret, { permanent, active }]) =>
      permanent && active ? [secret] : [],
    );
    const prints = this.pick(permanent).apply((values) =>
      JSON.stringify(
        Object.fromEntries(Object.entries(values).map(([secret, value]) => [secret, fingerprint(secret, value)])),
      ),
    );
    this.permanentGuard = args.host.remoteCommand(
      `${name}-permanent-guard`,
      { create: "sudo -n /usr/local/lib/vpai/check-permanent-secrets", stdin: prints },
      this,
    );
    this.registerOutputs();
  }

  /** The value of that name; secret. */
  get(name: string): pulumi.Output<string> {
    const value = this.#values.get(name);
    if (!value) throw new Error(`unknown secret: ${name}`);
    return value;
  }

  /** Several values by name. */
  pick(names: readonly string[]): pulumi.Output<Record<string, string>> {
    return pulumi.all(Object.fromEntries(names.map((name) => [name, this.get(name)]))) as pulumi.Output<
      Record<string, string>
    >;
  }
}

/** Distinguishes two values without showing either; they are too long to be guessed. */
export const fingerprint = (name: string, value: string): string =>
  createHash("sha256").update(`vpai permanent ${name}\n${value}`).digest("hex");

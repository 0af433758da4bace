import { z } from "zod";
import { choice, cidr, flag, text, whole } from "../../../shared/rules.ts";

const days = (fallback: number) => whole(1, 3_650, "a number of days: a whole number from 1 to 3650").default(fallback);

const personName = (fallback: string) =>
  text("a name of 1 to 32 characters", (value) => value.length > 0 && value.length <= 32).default(fallback);

const owner = z.strictObject({
  email: z
    .email({ error: "an e-mail address whose top-level domain has letters alone (n8n takes no other)" })
    .optional()
    .describe("E-mail address of the owner; without it, `admin@` and the domain"),
  firstName: personName("Stack").describe("First name of the owner"),
  lastName: personName("Owner").describe("Last name of the owner"),
});

const model = z.strictObject({
  name: text("the name that clients use, such as claude-sonnet", (value) =>
    /^[a-z0-9][a-z0-9.-]*$/.test(value),
  ).describe("Name that clients use"),
  provider: choice(["anthropic", "openai"]).describe("Provider of the model"),
  model: text("the provider's name of a model").describe("The provider's name of the model"),
  fallbacks: z
    .array(text("a model's name"), { error: "a list of models' names" })
    .default([])
    .describe("Names of other models, tried in turn when this one fails"),
  maxTokens: whole(1, 1_000_000, "a number of tokens: a whole number from 1")
    .default(4096)
    .describe("Most tokens of one answer"),
});

const retention = z.strictObject({
  metricsDays: days(30).describe("Retention of metrics, in days"),
  logsDays: days(14).describe("Retention of logs, in days"),
});

const vpn = z.strictObject({
  host: flag().default(false).describe("Whether Headscale runs on the server: a VPN of the stack's own"),
  controlUrl: text("an address such as https://vpn.example.com", (value) => /^https:\/\/[^\s/@?#]+$/.test(value))
    .optional()
    .describe("Control server of the VPN that the server joins: the owner's Headscale, or Tailscale's"),
  hostname: text("a name of letters, digits and -, in lower case", (value) =>
    /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value),
  )
    .default("vpai")
    .describe("Name of the server in the VPN"),
});

/**
 * The settings that services see, by their name below `vpai:`. The deployment's own are in stacks/settings/schema.ts,
 * which includes these: a component may not import that file, and its type must come from the schema.
 */
export const serviceSettingsSchema = z.object({
  owner: owner.default(owner.parse({})).describe("Stack owner (n8n owner account)"),
  models: z
    .array(model, { error: "a list of models" })
    .default([])
    .describe("Models that LiteLLM offers; empty: the default models"),
  dailyBudgetUsd: whole(1, 10_000, "US dollars, a whole number from 1 to 10000")
    .default(5)
    .describe("Daily LLM budget across all models, in US dollars"),
  retention: retention.default(retention.parse({})).describe("Retention of metrics and logs"),
  vpnCidrs: z
    .array(cidr("an address range such as 100.64.0.0/10"), { error: "a list of address ranges" })
    .default([])
    .describe("More source CIDRs allowed on VPN-only routes, besides those of vpai:vpn; empty: none"),
  vpn: vpn.default(vpn.parse({})).describe("VPN that the server is a member of"),
  telegramAllowFrom: z
    .array(whole(1, Number.MAX_SAFE_INTEGER, "a Telegram user's number"), {
      error: "a list of Telegram users' numbers",
    })
    .default([])
    .describe("Telegram users who may talk to OpenClaw"),
});

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** A model that LiteLLM offers under `name`. */
export type ModelSetting = DeepReadonly<z.infer<typeof model>>;

/** A setting whose value is secret. */
export interface SecretSetting {
  readonly description: string;
  /** Environment variable that stands in for a value that is not set. */
  readonly variable?: string;
}

/** Secret settings that a service's files may contain, as `settings-<key>` among the secrets; only where set. */
export const SERVICE_SECRETS = {
  anthropicApiKey: { description: "API key of Anthropic", variable: "ANTHROPIC_API_KEY" },
  openaiApiKey: { description: "API key of OpenAI", variable: "OPENAI_API_KEY" },
  openclawTelegramToken: { description: "Token of OpenClaw's Telegram bot" },
  vpnAuthKey: { description: "Key with which the server joins the VPN of vpai:vpn.controlUrl", variable: "TS_AUTHKEY" },
} as const satisfies Readonly<Record<string, SecretSetting>>;

export type ProvidedSecret = keyof typeof SERVICE_SECRETS;
export const CONFIG_SECRETS = Object.keys(SERVICE_SECRETS) as readonly ProvidedSecret[];

/** What a program adds to the settings that services see. */
export interface Completed {
  readonly owner: Readonly<Required<z.infer<typeof owner>>>;
  /** Which secret settings have a value. */
  readonly providedSecrets: readonly ProvidedSecret[];
}

/** The settings as services see them: those of the schema, with what can be derived filled in. */
export type ServiceSettings<Schema extends z.ZodObject = typeof serviceSettingsSchema> = Completed &
  DeepReadonly<Omit<z.infer<Schema>, keyof Completed>>;

import { isIPv4, isIPv6 } from "node:net";
import { z } from "zod";
import { LOCATIONS } from "../../components/vps/hetzner/server-types.ts";

/** What an operator is told when a value is not allowed: the message of each rule is the "allowed" line of a fault. */
const rule = <T extends z.ZodType>(make: (error: string) => T, allowed: string): T => make(allowed);

const text = (allowed: string, test: (value: string) => boolean = (value) => value.length > 0) =>
  rule((error) => z.string({ error }).refine(test, { error }), allowed);

const whole = (min: number, max: number, allowed: string) =>
  rule((error) => z.int({ error }).min(min, { error }).max(max, { error }), allowed);

const flag = () => rule((error) => z.boolean({ error }), "true or false");

const choice = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values, { error: values.join(", ") });

const DOMAIN = /^(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
const PIN = /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)+:[A-Za-z0-9_][\w.-]{0,127}@sha256:[0-9a-f]{64}$/;
const HOST_KEY = /^(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) [A-Za-z0-9+/]+=*( \S+)*$/;

const isCidr = (value: string): boolean => {
  const [address = "", bits = "", ...rest] = value.split("/");
  const max = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= max;
};

const isTimezone = (value: string): boolean => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone.length > 0;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

/** How Hetzner's server types are named. */
export const SERVER_TYPE = /^[a-z]{2,4}\d{2}$/;

const serverType = text("a server type's name such as cx33", (value) => SERVER_TYPE.test(value));
const generation = whole(1, 1_000_000, "a whole number from 1").default(1);
const memoryMb = whole(512, 4_194_304, "memory in MB, a whole number from 512");
const anyPort = whole(1, 65_535, "a port: a whole number from 1 to 65535");

const hetzner = z.strictObject({
  provider: z.literal("hetzner"),
  serverType,
  serverTypeFallbacks: z.array(serverType, { error: "a list of server types" }).default([]),
  location: choice(LOCATIONS),
  generation,
  memoryMb: memoryMb.optional(),
});

const existing = z.strictObject({
  provider: z.literal("existing"),
  address: text("an IPv4 address such as 203.0.113.7", isIPv4),
  port: anyPort.default(22),
  user: text("a user's name", (value) => /^[a-z_][a-z0-9_-]{0,31}$/.test(value)).default("root"),
  hostKey: text("the server's public host key, as `ssh-keyscan` or its console shows it: ssh-ed25519 AAAA…", (value) =>
    HOST_KEY.test(value),
  ),
  generation,
  memoryMb,
});

const EMAIL = /^[^@\s]+@([a-z0-9-]+\.)+[a-z]{2,}$/i;
const personName = (fallback: string) =>
  text("a name", (value) => value.length > 0 && value.length <= 32).default(fallback);

const owner = z.strictObject({
  email: text("an e-mail address; left out: admin@ the domain", (value) => EMAIL.test(value)).optional(),
  firstName: personName("Stack"),
  lastName: personName("Owner"),
});

const model = z.strictObject({
  name: text("the name that clients use, such as claude-sonnet", (value) => /^[a-z0-9][a-z0-9.-]*$/.test(value)),
  provider: choice(["anthropic", "openai"]),
  model: text("the provider's name of a model"),
  fallbacks: z.array(text("a model's name"), { error: "a list of models' names" }).default([]),
  maxTokens: whole(1, 1_000_000, "a number of tokens: a whole number from 1").default(4096),
});

const days = whole(1, 3_650, "a number of days: a whole number from 1 to 3650");

const EVERYWHERE = ["0.0.0.0/0", "::/0"];
const sshDefault = { port: 2222, allowedCidrs: EVERYWHERE };

/** Every setting that is not secret, by its name below `vpai:`. Unknown ones are faults. */
export const settingsSchema = z.strictObject({
  domain: text("a domain in lower case such as ai.example.com", (value) => DOMAIN.test(value)).describe(
    "Domain of the deployment; each service gets a name below it",
  ),
  timezone: text("a name of the IANA database such as Europe/Paris", isTimezone)
    .default("Etc/UTC")
    .describe("Time zone of the services"),
  size: choice(["standard", "small"])
    .default("standard")
    .describe("How much memory the services get: standard, or small for try-outs; both fit 8 GB"),
  protect: flag()
    .default(true)
    .describe("Refuse to delete what cannot be had again: server, address, keys, encryption keys"),
  vps: z
    .discriminatedUnion("provider", [hetzner, existing], { error: "hetzner, existing" })
    .describe(
      "The server. provider hetzner: serverType, serverTypeFallbacks, location, generation, memoryMb; " +
        "provider existing: address, port, user, hostKey, generation, memoryMb",
    ),
  ssh: z
    .strictObject({
      port: whole(1024, 65_535, "a port: a whole number from 1024 to 65535").default(sshDefault.port),
      allowedCidrs: z
        .array(text("an address range such as 198.51.100.0/24", isCidr), { error: "a list of address ranges" })
        .min(1, { error: "at least one address range such as 198.51.100.0/24" })
        .default(EVERYWHERE),
    })
    .default(sshDefault)
    .describe("sshd's port on the server, and from where it may be reached"),
  without: z
    .array(text("a service's name"), { error: "a list of services" })
    .default([])
    .describe("Services to leave out; their data stays until `vpai purge`"),
  owner: owner
    .default(owner.parse({}))
    .describe("Whom the stack belongs to: email, firstName, lastName; n8n's owner account"),
  models: z
    .array(model, { error: "a list of models" })
    .default([])
    .describe(
      "Models that LiteLLM offers: name, provider (anthropic, openai), model, fallbacks, maxTokens; empty: the usual ones",
    ),
  dailyBudgetUsd: whole(1, 10_000, "US dollars, a whole number from 1 to 10000")
    .default(5)
    .describe("What all models together may cost in a day, in US dollars"),
  retention: z
    .strictObject({ metricsDays: days.default(30), logsDays: days.default(14) })
    .default({ metricsDays: 30, logsDays: 14 })
    .describe("How long metrics and logs are kept: metricsDays, logsDays"),
  vpnCidrs: z
    .array(text("an address range such as 100.64.0.0/10", isCidr), { error: "a list of address ranges" })
    .default([])
    .describe("From where the routes that are not public may be used; empty: from nowhere"),
  telegramAllowFrom: z
    .array(whole(1, Number.MAX_SAFE_INTEGER, "a Telegram user's number"), {
      error: "a list of Telegram users' numbers",
    })
    .default([])
    .describe("Telegram users who may talk to OpenClaw"),
  images: z
    .record(
      z.string(),
      text("repository:tag@sha256:<64 hexadecimal digits>, with the registry's host", (value) => PIN.test(value)),
    )
    .default({})
    .describe("Other images than the catalogue's, by service: repository:tag@sha256:…"),
  imageLock: flag()
    .default(false)
    .describe("Sandbox only: take each image by the digest that the sandbox's registry has"),
});

export type RawSettings = z.infer<typeof settingsSchema>;

/** Every secret setting: it stays an Output, and only its presence is looked at. */
export const SECRET_KEYS = {
  hetznerToken: "API token of the Hetzner project (else the environment's HCLOUD_TOKEN); provider hetzner",
  rootPrivateKey: "Private key for the first login to an existing server",
  rootPassword: "Password for the first login to an existing server",
  anthropicApiKey: "API key of Anthropic (else the environment's ANTHROPIC_API_KEY)",
  openaiApiKey: "API key of OpenAI (else the environment's OPENAI_API_KEY)",
  openclawTelegramToken: "Token of the Telegram bot that OpenClaw answers as",
} as const;

export type SecretKey = keyof typeof SECRET_KEYS;

/** Environment variables that stand in for a secret that is not set. */
export const SECRET_VARIABLES: Readonly<Partial<Record<SecretKey, string>>> = {
  hetznerToken: "HCLOUD_TOKEN",
  anthropicApiKey: "ANTHROPIC_API_KEY",
  openaiApiKey: "OPENAI_API_KEY",
};

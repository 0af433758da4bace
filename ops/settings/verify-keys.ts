import { createHmac, randomBytes } from "node:crypto";
import { Agent, type Dispatcher, request } from "undici";
import { z } from "zod";
import { authorities, elsewhere, type Front } from "../../shared/connect.ts";
import type { Fault } from "../../shared/errors.ts";
import type { SecretKey } from "../../stacks/settings/schema.ts";

/** A key that a provider can be asked about. */
export interface ProviderKey {
  readonly key: SecretKey;
  /** The setting, or the variable that stands in for it. */
  readonly name: string;
  readonly value: string;
}

interface Probe {
  readonly provider: string;
  /** The cheapest request that needs the key: free of charge, and it changes nothing. */
  readonly request: (value: string, hetzner: string) => { url: string; headers?: Record<string, string> };
  /** The provider's own words in its answer. */
  readonly message: z.ZodType<string>;
  /** Statuses that mean that the key is refused. */
  readonly refused: readonly number[];
  readonly fix: string;
}

const errorMessage = z.object({ error: z.object({ message: z.string() }) }).transform(({ error }) => error.message);

const PROBES: Readonly<Partial<Record<SecretKey, Probe>>> = {
  // https://docs.anthropic.com/en/api/models-list
  anthropicApiKey: {
    provider: "Anthropic",
    request: (value) => ({
      url: "https://api.anthropic.com/v1/models?limit=1",
      headers: { "x-api-key": value, "anthropic-version": "2023-06-01" },
    }),
    message: errorMessage,
    refused: [401, 403],
    fix: "make one at https://console.anthropic.com/settings/keys",
  },
  // https://platform.openai.com/docs/api-reference/models/list
  openaiApiKey: {
    provider: "OpenAI",
    request: (value) => ({ url: "https://api.openai.com/v1/models", headers: { authorization: `Bearer ${value}` } }),
    message: errorMessage,
    refused: [401, 403],
    fix: "make one at https://platform.openai.com/api-keys",
  },
  // https://docs.hetzner.cloud/reference/cloud#locations-list-locations
  hetznerToken: {
    provider: "Hetzner",
    request: (value, hetzner) => ({
      url: `${hetzner}/locations?per_page=1`,
      headers: { authorization: `Bearer ${value}` },
    }),
    message: errorMessage,
    refused: [401, 403],
    fix: "make one with read and write access in Hetzner's console (Security, API tokens)",
  },
  // https://core.telegram.org/bots/api#getme
  openclawTelegramToken: {
    provider: "Telegram",
    request: (value) => ({ url: `https://api.telegram.org/bot${value}/getMe` }),
    message: z.object({ description: z.string() }).transform(({ description }) => description),
    refused: [401, 403, 404],
    fix: "have BotFather show or make one (/token)",
  },
};

/** Keys that were verified, as digests with a salt of their own: what is stored says nothing of a key. */
export interface VerifiedKeys {
  readonly salt: string;
  readonly digests: Readonly<Record<string, string>>;
}

const NONE_VERIFIED = (): VerifiedKeys => ({ salt: randomBytes(16).toString("hex"), digests: {} });
const stored = z.object({ salt: z.string().min(1), digests: z.record(z.string(), z.string()) });

/** Reads what {@link Verification.verified} was stored as; a broken file means that nothing was verified. */
export function parseVerified(text: string | undefined): VerifiedKeys {
  if (text === undefined) return NONE_VERIFIED();
  try {
    return stored.safeParse(JSON.parse(text)).data ?? NONE_VERIFIED();
  } catch (error) {
    if (error instanceof SyntaxError) return NONE_VERIFIED();
    throw error;
  }
}

export interface Verification {
  readonly faults: readonly Fault[];
  readonly notices: readonly string[];
  readonly verified: VerifiedKeys;
}

export interface VerifyOptions {
  /** Hetzner's API, with version. */
  readonly hetzner: string;
  /** The sandbox's front, which stands in for every provider but Hetzner. */
  readonly through?: Front | undefined;
  /** @default 5 000 */
  readonly timeoutMs?: number;
}

/** Asks each provider about its key, unless it has taken that key before. A provider without an answer stops nothing. */
export async function verifyKeys(
  keys: readonly ProviderKey[],
  known: VerifiedKeys,
  options: VerifyOptions,
): Promise<Verification> {
  const digest = ({ name, value }: ProviderKey): string =>
    createHmac("sha256", known.salt).update(`${name}\n${value}`).digest("hex");
  const isNew = (each: ProviderKey): boolean =>
    PROBES[each.key] !== undefined && known.digests[each.key] !== digest(each);
  const agent = new Agent({ connect: options.through ? elsewhere(options.through) : { ca: authorities(undefined) } });
  try {
    const answers = await Promise.all(
      keys.filter(isNew).map(async (each) => ({ each, ...(await ask(each, agent, options)) })),
    );
    const taken = answers.filter(({ fault, notice }) => fault === undefined && notice === undefined);
    return {
      faults: answers.flatMap(({ fault }) => fault ?? []),
      notices: answers.flatMap(({ notice }) => notice ?? []),
      verified: {
        salt: known.salt,
        digests: { ...known.digests, ...Object.fromEntries(taken.map(({ each }) => [each.key, digest(each)])) },
      },
    };
  } finally {
    await agent.destroy();
  }
}

async function ask(
  each: ProviderKey,
  dispatcher: Dispatcher,
  { hetzner, timeoutMs = 5_000 }: VerifyOptions,
): Promise<{ readonly fault?: Fault; readonly notice?: string }> {
  const probe = PROBES[each.key];
  if (probe === undefined) return {};
  const { url, headers } = probe.request(each.value, hetzner);
  const unverified = (why: string) => ({ notice: `${each.name} is not verified: ${probe.provider} ${why}` });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await request(url, { headers: { ...headers, "user-agent": "vpai" }, signal, dispatcher });
    const text = await answer.body.text();
    if (answer.statusCode < 300) return {};
    const words = withoutSecret(messageIn(text, probe.message), each.value);
    const status = `${answer.statusCode}${words === "" ? "" : `: ${words}`}`;
    if (!probe.refused.includes(answer.statusCode)) return unverified(`answers ${status}`);
    return { fault: refusedKey(each, probe, status) };
  } catch (error) {
    if (signal.aborted) return unverified(`does not answer within ${timeoutMs / 1_000} s`);
    const { code, message } = error as NodeJS.ErrnoException;
    return unverified(`cannot be reached (${code ?? withoutSecret(message, each.value)})`);
  }
}

function refusedKey({ name }: ProviderKey, { provider, fix }: Probe, status: string): Fault {
  const set = name.startsWith("vpai:") ? `\`pulumi config set --secret ${name}\`` : `set ${name}`;
  return {
    key: name,
    found: `refused by ${provider} (${status})`,
    allowed: `a key that ${provider} takes`,
    fix: `${fix}, then ${set}; --offline leaves this check out`,
  };
}

function messageIn(text: string, message: z.ZodType<string>): string {
  try {
    return message.safeParse(JSON.parse(text)).data ?? "";
  } catch (error) {
    if (error instanceof SyntaxError) return "";
    throw error;
  }
}

const LONGEST_MESSAGE = 200;

/** The provider's words without the key, whole or masked: OpenAI quotes its first and last characters. */
function withoutSecret(words: string, secret: string): string {
  return words
    .replaceAll(secret, "…")
    .replace(/\bsk-[^\s,;"']*/g, "sk-…")
    .replace(/\s+/g, " ")
    .slice(0, LONGEST_MESSAGE)
    .replace(/\.$/, "");
}

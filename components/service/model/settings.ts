/** A model that LiteLLM offers under `name`. */
export interface ModelSetting {
  readonly name: string;
  readonly provider: "anthropic" | "openai";
  /** As the provider calls it. */
  readonly model: string;
  /** Names of other models, tried in turn when this one fails. */
  readonly fallbacks: readonly string[];
  readonly maxTokens: number;
}

/** Secret settings that a service's files may be made of, as `settings-<key>` among the secrets; only where given. */
export const GIVEN_SECRETS = ["anthropicApiKey", "openaiApiKey", "openclawTelegramToken"] as const;
export type GivenSecret = (typeof GIVEN_SECRETS)[number];

/** The secret of that setting, by the name that files use. */
export const givenSecret = (key: GivenSecret): string => `settings-${key}`;

/** What an operator can say about the products. Plain. */
export interface ServiceSettings {
  /** The person whom the stack belongs to: n8n's owner. */
  readonly owner: { readonly email: string; readonly firstName: string; readonly lastName: string };
  readonly llm: {
    readonly models: readonly ModelSetting[];
    /** Of the whole stack; its last part is kept for warnings. */
    readonly dailyBudgetUsd: number;
  };
  readonly retention: { readonly metricsDays: number; readonly logsDays: number };
  /** From where routes for the VPN may be used. Empty: from nowhere. */
  readonly vpnCidrs: readonly string[];
  /** Telegram accounts that may talk to OpenClaw. */
  readonly telegramAllowFrom: readonly number[];
  /** Which secret settings have a value. */
  readonly given: readonly GivenSecret[];
}

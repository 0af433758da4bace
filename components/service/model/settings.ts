/** A language model, offered to clients under `name`. */
export interface ModelSetting {
  readonly name: string;
  readonly provider: "anthropic" | "openai";
  /** The provider's name of it. */
  readonly model: string;
  /** Names of other models, tried in turn when this one fails. */
  readonly fallbacks: readonly string[];
  readonly maxTokens: number;
}

/** Secret settings that a service's files may be made of; only those that are set. */
export const CONFIG_SECRETS = ["anthropicApiKey", "openaiApiKey", "openclawTelegramToken"] as const;
export type ProvidedSecret = (typeof CONFIG_SECRETS)[number];

/** The operator's settings for the products. Plain. */
export interface ServiceSettings {
  /** The stack's owner. */
  readonly owner: { readonly email: string; readonly firstName: string; readonly lastName: string };
  readonly llm: {
    readonly models: readonly ModelSetting[];
    /** Across all models of the stack. */
    readonly dailyBudgetUsd: number;
  };
  readonly retention: { readonly metricsDays: number; readonly logsDays: number };
  /** Source ranges allowed on VPN-only routes. Empty denies all. */
  readonly vpnCidrs: readonly string[];
  /** Telegram accounts that may talk to OpenClaw. */
  readonly telegramAllowFrom: readonly number[];
  /** Secret settings that have a value. */
  readonly providedSecrets: readonly ProvidedSecret[];
}

import type { ServiceContext } from "../../service/model/context.ts";
import type { SecretRef } from "../../service/model/facets.ts";
import { configSecret } from "../../service/model/secrets.ts";
import type { ProvidedSecret, ModelSetting } from "../../service/model/settings.ts";
import { usableModels } from "../../llm/models.ts";

/** The variable that each provider's key is in, and the setting that it comes from. */
export const PROVIDER_KEYS: Readonly<Record<ModelSetting["provider"], { variable: string; setting: ProvidedSecret }>> =
  {
    anthropic: { variable: "ANTHROPIC_API_KEY", setting: "anthropicApiKey" },
    openai: { variable: "OPENAI_API_KEY", setting: "openaiApiKey" },
  };

/** Variables of the provider keys that are set, with the secrets they come from. */
export function providerVariables({ settings }: ServiceContext): { variable: string; secret: SecretRef }[] {
  return Object.values(PROVIDER_KEYS)
    .filter(({ setting }) => settings.providedSecrets.includes(setting))
    .map(({ variable, setting }) => ({ variable, secret: configSecret(setting) }));
}

// The settings' own words are quoted: a model may well be called `yes` or `4o`.
const quoted = (text: string): string => JSON.stringify(text);

const model = ({ name, provider, model, maxTokens }: ModelSetting): string => `
  - model_name: ${quoted(name)}
    litellm_params:
      model: ${quoted(`${provider}/${model}`)}
      api_key: os.environ/${PROVIDER_KEYS[provider].variable}
      max_tokens: ${maxTokens}`;

/** P19: a list of maps with one key each; a single map is refused. */
const fallback = ({ name, fallbacks }: ModelSetting): string =>
  `\n    - ${quoted(name)}: [${fallbacks.map(quoted).join(", ")}]`;

const list = (items: readonly string[]): string => (items.length > 0 ? items.join("") : " []");

/** LiteLLM's config.yaml. It holds no secret: each is read from the environment (P19). */
export function renderLitellmConfig({ settings, timezone }: ServiceContext): string {
  const models = usableModels(settings.models, settings.providedSecrets);
  return `model_list:${list(models.map(model))}

litellm_settings:
  drop_params: true
  num_retries: 2
  request_timeout: 120
  fallbacks:${list(models.filter(({ fallbacks }) => fallbacks.length > 0).map(fallback))}
  # Of the whole proxy; set back at midnight in this time zone.
  max_budget: ${settings.dailyBudgetUsd}
  budget_duration: 1d
  timezone: ${timezone}
  cache: true
  cache_params:
    type: redis
    host: redis
    port: 6379
    username: litellm
    password: os.environ/REDIS_PASSWORD
    namespace: litellm
    ttl: 600
  # P33: for successes and failures both; as two lists of its own, the requests that fail are not counted.
  callbacks: ["prometheus"]
  prometheus_initialize_budget_metrics: true
  # Only the backend network gets there: the edge answers 404.
  require_auth_for_metrics_endpoint: false

general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  database_url: os.environ/DATABASE_URL
  database_connection_pool_limit: 10
  store_model_in_db: false
  background_health_checks: false
  maximum_spend_logs_retention_period: 30d
`;
}

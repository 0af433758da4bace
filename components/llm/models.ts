import leven from "leven";
import type { Fault } from "../../shared/errors.ts";
import type { ModelSetting } from "../service/model/settings.ts";

/** A model that LiteLLM knows, and what it costs. */
export interface KnownModel {
  /** As the provider calls it. */
  readonly name: string;
  readonly provider: ModelSetting["provider"];
  /** US dollars per million tokens. */
  readonly inputUsd: number;
  readonly outputUsd: number;
}

const known = (provider: ModelSetting["provider"], prices: Readonly<Record<string, readonly [number, number]>>) =>
  Object.entries(prices).map(([name, [inputUsd, outputUsd]]): KnownModel => ({ name, provider, inputUsd, outputUsd }));

/**
 * The chat models of the two providers that are not retired, out of LiteLLM 1.102.1's own list
 * (model_prices_and_context_window.json), which is where it takes prices from: a model that is not in it costs
 * nothing in its books, and no budget ever stops it.
 */
export const KNOWN_MODELS: readonly KnownModel[] = [
  ...known("anthropic", {
    "claude-opus-5": [5, 25],
    "claude-opus-4-8": [5, 25],
    "claude-opus-4-7": [5, 25],
    "claude-opus-4-6": [5, 25],
    "claude-sonnet-5": [2, 10],
    "claude-sonnet-4-6": [3, 15],
    "claude-sonnet-4-5": [3, 15],
    "claude-haiku-4-5": [1, 5],
  }),
  ...known("openai", {
    "gpt-5.6": [4, 20],
    "gpt-5.6-terra": [2, 12],
    "gpt-5.6-luna": [0.2, 1.2],
    "gpt-5.5": [5, 30],
    "gpt-5.4": [2.5, 15],
    "gpt-5.4-mini": [0.75, 4.5],
    "gpt-5.4-nano": [0.2, 1.25],
    "gpt-5-mini": [0.25, 2],
    "gpt-4.1": [2, 8],
    "gpt-4.1-mini": [0.4, 1.6],
    "gpt-4o": [2.5, 10],
    "gpt-4o-mini": [0.15, 0.6],
  }),
];

const offered = (
  name: string,
  provider: ModelSetting["provider"],
  model: string,
  ...fallbacks: readonly string[]
): ModelSetting => ({ name, provider, model, fallbacks, maxTokens: 4096 });

/** What is offered when the settings name no model: each of one provider falls back to its like of the other. */
export const DEFAULT_MODELS: readonly ModelSetting[] = [
  offered("claude-sonnet", "anthropic", "claude-sonnet-5", "gpt", "claude-haiku"),
  offered("claude-haiku", "anthropic", "claude-haiku-4-5", "gpt-mini"),
  offered("gpt", "openai", "gpt-5.6-terra", "claude-sonnet", "gpt-mini"),
  offered("gpt-mini", "openai", "gpt-5.6-luna", "claude-haiku"),
  offered("gpt-4o", "openai", "gpt-4o", "claude-sonnet"),
  offered("gpt-4o-mini", "openai", "gpt-4o-mini", "claude-haiku"),
];

/** The models of the providers whose key is given; fallbacks to others are left out. */
export function usableModels(models: readonly ModelSetting[], given: readonly string[]): ModelSetting[] {
  const usable = models.filter(({ provider }) => given.includes(`${provider}ApiKey`));
  const names = new Set(usable.map(({ name }) => name));
  return usable.map((model) => ({ ...model, fallbacks: model.fallbacks.filter((name) => names.has(name)) }));
}

/** What is wrong with the models of the settings, before anything is touched. */
export function checkModels(models: readonly ModelSetting[]): Fault[] {
  const names = models.map(({ name }) => name);
  return models.flatMap((model, i) => {
    const key = `vpai:models[${i}]`;
    return [
      ...nameFaults(model, names.indexOf(model.name), i, key),
      ...modelFaults(model, key),
      ...model.fallbacks.flatMap((fallback, j) => fallbackFaults(model, fallback, names, `${key}.fallbacks[${j}]`)),
    ];
  });
}

function nameFaults({ name }: ModelSetting, first: number, i: number, key: string): Fault[] {
  if (first === i) return [];
  return [
    {
      key: `${key}.name`,
      found: `${name}, as vpai:models[${first}] has it`,
      allowed: "a name of its own for each model",
      fix: `\`pulumi config set --path '${key}.name' <name>\``,
    },
  ];
}

function modelFaults({ provider, model }: ModelSetting, key: string): Fault[] {
  const match = KNOWN_MODELS.find(({ name }) => name === model);
  if (match?.provider === provider) return [];
  if (match !== undefined) {
    return [
      {
        key: `${key}.provider`,
        found: `${provider}, and ${model} is a model of ${match.provider}`,
        allowed: match.provider,
        fix: `\`pulumi config set --path '${key}.provider' ${match.provider}\``,
      },
    ];
  }
  return [
    {
      key: `${key}.model`,
      found: `${model}, which LiteLLM has no price for`,
      allowed: nearest(model, provider).join(", "),
      fix: `\`pulumi config set --path '${key}.model' <model>\``,
    },
  ];
}

function fallbackFaults({ name }: ModelSetting, fallback: string, names: readonly string[], key: string): Fault[] {
  if (fallback !== name && names.includes(fallback)) return [];
  const others = names.filter((other) => other !== name);
  return [
    {
      key,
      found: fallback === name ? `${fallback}, the model itself` : `${fallback}, which no model is called`,
      allowed: others.length > 0 ? [...new Set(others)].join(", ") : "nothing: there is no other model",
      fix: others.length > 0 ? `\`pulumi config set --path '${key}' <name>\`` : `\`pulumi config rm --path '${key}'\``,
    },
  ];
}

const SHOWN = 4;

/** The provider's models whose names are most like it. */
function nearest(model: string, provider: ModelSetting["provider"]): string[] {
  return KNOWN_MODELS.filter((known) => known.provider === provider)
    .map(({ name }) => ({ name, distance: leven(model.toLowerCase(), name) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SHOWN)
    .map(({ name }) => name);
}

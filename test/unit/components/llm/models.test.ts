import { describe, expect, test } from "@jest/globals";
import { checkModels, DEFAULT_MODELS, KNOWN_MODELS, usableModels } from "../../../../components/llm/models.ts";
import type { ModelSetting } from "../../../../components/service/model/settings.ts";
import { ANTHROPIC_MODELS, OPENAI_MODELS } from "../../../../sandbox/llm/models.ts";
import { renderFaults } from "../../../../shared/errors.ts";

const claude: ModelSetting = {
  name: "claude",
  provider: "anthropic",
  model: "claude-sonnet-5",
  fallbacks: ["gpt"],
  maxTokens: 4096,
};
const gpt: ModelSetting = { name: "gpt", provider: "openai", model: "gpt-4o", fallbacks: [], maxTokens: 4096 };

describe("the models of the settings", () => {
  test("are in order by default, and are of both providers", () => {
    expect(checkModels(DEFAULT_MODELS)).toEqual([]);
    expect(new Set(DEFAULT_MODELS.map(({ provider }) => provider)).size).toBe(2);
  });

  test.each([
    [
      "an unknown model, with those most like it",
      [{ ...claude, model: "claude-sonet-5" }, gpt],
      "vpai:models[0].model: claude-sonet-5, which LiteLLM has no price for\n" +
        "  allowed: claude-sonnet-5, claude-sonnet-4-5, claude-opus-5, claude-sonnet-4-6\n" +
        "  do: `pulumi config set --path 'vpai:models[0].model' <model>`",
    ],
    [
      "a model of the other provider",
      [claude, { ...gpt, model: "claude-opus-5" }],
      "vpai:models[1].provider: openai, and claude-opus-5 is a model of anthropic\n" +
        "  allowed: anthropic\n" +
        "  do: `pulumi config set --path 'vpai:models[1].provider' anthropic`",
    ],
    [
      "a name that is taken",
      [claude, gpt, { ...gpt, model: "gpt-4o-mini" }],
      "vpai:models[2].name: gpt, as vpai:models[1] has it\n" +
        "  allowed: a name of its own for each model\n" +
        "  do: `pulumi config set --path 'vpai:models[2].name' <name>`",
    ],
    [
      "a fallback that is not there",
      [{ ...claude, fallbacks: ["gpt", "gpt-4o"] }, gpt],
      "vpai:models[0].fallbacks[1]: gpt-4o, which no model is called\n" +
        "  allowed: gpt\n" +
        "  do: `pulumi config set --path 'vpai:models[0].fallbacks[1]' <name>`",
    ],
    [
      "a model that falls back to itself",
      [{ ...gpt, fallbacks: ["gpt"] }],
      "vpai:models[0].fallbacks[0]: gpt, the model itself\n" +
        "  allowed: nothing: there is no other model\n" +
        "  do: `pulumi config rm --path 'vpai:models[0].fallbacks[0]'`",
    ],
  ] as const)("are refused for %s", (_what, models, text) => {
    expect(renderFaults(checkModels(models))).toBe(text);
  });

  test("are those whose provider's key is given; so are their fallbacks", () => {
    expect(usableModels([claude, gpt], ["anthropicApiKey"])).toEqual([{ ...claude, fallbacks: [] }]);
    expect(usableModels([claude, gpt], ["anthropicApiKey", "openaiApiKey"])).toEqual([claude, gpt]);
    expect(usableModels([claude, gpt], [])).toEqual([]);
  });
});

test("every known model has a name of its own and a price", () => {
  expect(new Set(KNOWN_MODELS.map(({ name }) => name)).size).toBe(KNOWN_MODELS.length);
  expect(KNOWN_MODELS.filter(({ inputUsd, outputUsd }) => !(inputUsd > 0 && outputUsd > inputUsd))).toEqual([]);
});

test("the sandbox's providers have every known model", () => {
  const there = { anthropic: Object.keys(ANTHROPIC_MODELS), openai: Object.keys(OPENAI_MODELS) };
  expect(KNOWN_MODELS.filter(({ name, provider }) => !there[provider].includes(name))).toEqual([]);
});

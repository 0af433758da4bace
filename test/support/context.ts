import type { ServiceContext } from "../../components/service/model/context.ts";

/** A deployment's context for a test, with what the test says of it. */
export function testContext(said: Partial<ServiceContext> = {}): ServiceContext {
  return {
    domain: "ai.example.com",
    timezone: "Europe/Paris",
    size: "small",
    routes: [],
    settings: {
      owner: { email: "owner@example.com", firstName: "Only", lastName: "Owner" },
      llm: {
        models: [
          { name: "claude", provider: "anthropic", model: "claude-sonnet-4-5", fallbacks: ["gpt"], maxTokens: 4096 },
          { name: "gpt", provider: "openai", model: "gpt-4o", fallbacks: [], maxTokens: 4096 },
        ],
        dailyBudgetUsd: 5,
      },
      retention: { metricsDays: 30, logsDays: 14 },
      vpnCidrs: ["100.64.0.0/10"],
      telegramAllowFrom: [],
      providedSecrets: ["anthropicApiKey", "openaiApiKey"],
    },
    requirements: { scrapes: [], cacheUsers: [], llmClients: [], collections: [], dashboards: [], images: [] },
    ...said,
  };
}

import type { ServiceContext } from "../../components/service/model/context.ts";
import { serviceSettingsSchema } from "../../components/service/model/settings.ts";

/** A deployment's context for a test, with what the test says of it. */
export function testContext(said: Partial<ServiceContext> = {}): ServiceContext {
  return {
    domain: "ai.example.com",
    publicPort: 443,
    timezone: "Europe/Paris",
    size: "small",
    routes: [],
    settings: {
      ...serviceSettingsSchema.parse({}),
      owner: { email: "owner@example.com", firstName: "Only", lastName: "Owner" },
      models: [
        { name: "claude", provider: "anthropic", model: "claude-sonnet-4-5", fallbacks: ["gpt"], maxTokens: 4096 },
        { name: "gpt", provider: "openai", model: "gpt-4o", fallbacks: [], maxTokens: 4096 },
      ],
      vpnCidrs: ["100.64.0.0/10"],
      providedSecrets: ["anthropicApiKey", "openaiApiKey"],
    },
    requirements: { scrapes: [], cacheUsers: [], llmClients: [], collections: [], dashboards: [], images: [] },
    ...said,
  };
}

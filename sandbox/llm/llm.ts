import { randomBytes } from "node:crypto";
import type { FaultBook } from "../control/fault-injector.ts";
import type { Site } from "../network/tls-terminator.ts";
import { anthropic } from "./anthropic.ts";
import { openai } from "./openai.ts";

const NAMES = { anthropic: "api.anthropic.com", openai: "api.openai.com" } as const;

/** The model providers that the sandbox stands in for. */
export const llmNames: readonly string[] = Object.values(NAMES);

export interface LlmKeys {
  readonly anthropicKey: string;
  readonly openaiKey: string;
}

/** Keys in the form of real ones, so that nothing that checks the form is surprised. */
export const newLlmKeys = (): LlmKeys => ({
  anthropicKey: `sk-ant-api03-${randomBytes(69).toString("base64url")}-${randomBytes(6).toString("base64url")}AA`,
  openaiKey: `sk-proj-${randomBytes(120).toString("base64url")}`,
});

export interface LlmOptions {
  readonly keys: LlmKeys;
  readonly faults: FaultBook;
  readonly log: (line: string) => void;
}

/** The simulated model providers, to be put behind the front. Each takes its own key alone. */
export async function openLlm({ keys, faults, log }: LlmOptions): Promise<{ sites: Site[]; close(): Promise<void> }> {
  const apps = {
    anthropic: anthropic({ key: keys.anthropicKey, faults, log }),
    openai: openai({ key: keys.openaiKey, faults, log }),
  };
  await Promise.all(Object.values(apps).map((app) => app.ready()));
  return {
    sites: (["anthropic", "openai"] as const).map((provider) => ({
      names: [NAMES[provider]],
      answer: (request, response) => apps[provider].routing(request, response),
    })),
    close: async () => {
      await Promise.all(Object.values(apps).map((app) => app.close()));
    },
  };
}

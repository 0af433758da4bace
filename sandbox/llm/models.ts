/** Models that the simulated providers have, by the name that is asked for; the value is the one they answer with. */
export const ANTHROPIC_MODELS: Readonly<Record<string, string>> = {
  "claude-opus-5": "claude-opus-5",
  "claude-opus-4-8": "claude-opus-4-8",
  "claude-opus-4-7": "claude-opus-4-7",
  "claude-opus-4-6": "claude-opus-4-6",
  "claude-sonnet-5": "claude-sonnet-5",
  "claude-sonnet-4-6": "claude-sonnet-4-6",
  "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
  "claude-sonnet-4-5-20250929": "claude-sonnet-4-5-20250929",
  "claude-haiku-4-5": "claude-haiku-4-5-20251001",
  "claude-haiku-4-5-20251001": "claude-haiku-4-5-20251001",
};

export const OPENAI_MODELS: Readonly<Record<string, string>> = {
  "gpt-5.6": "gpt-5.6",
  "gpt-5.6-terra": "gpt-5.6-terra",
  "gpt-5.6-luna": "gpt-5.6-luna",
  "gpt-5.5": "gpt-5.5-2026-04-23",
  "gpt-5.4": "gpt-5.4-2026-03-05",
  "gpt-5.4-mini": "gpt-5.4-mini-2026-03-17",
  "gpt-5.4-nano": "gpt-5.4-nano-2026-03-17",
  "gpt-5-mini": "gpt-5-mini-2025-08-07",
  "gpt-4.1": "gpt-4.1-2025-04-14",
  "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
  "gpt-4o": "gpt-4o-2024-08-06",
  "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
};

/** These take max_completion_tokens alone. */
export const reasons = (model: string): boolean => model.startsWith("gpt-5");

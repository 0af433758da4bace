import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { until } from "../../support/until.ts";
import { docker, logs } from "./container-harness.ts";
import { config, MASTER, model, openProxy } from "./litellm-proxy.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
interface Part {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}
let proxy: Awaited<ReturnType<typeof openProxy>>;

beforeAll(async () => {
  proxy = await openProxy();
}, 300_000);
beforeEach(() => {
  proxy.faults.clear();
  proxy.asked.length = 0;
});
afterAll(() => proxy.close());

describe("the fake of LiteLLM", () => {
  test("is ready with its database, and says what it is", async () => {
    expect((await proxy.ask("/health/readiness", undefined, "")).body).toEqual({ status: "healthy", db: "connected" });
    expect((await proxy.ask("/")).body).toContain("LiteLLM 1.102.1");
    expect(await logs(proxy.container)).toContain("Fake of LiteLLM for the sandbox, version v1.102.1");
    expect(proxy.asked).toEqual([]);
  });

  test("answers through each provider, and books what it cost", async () => {
    const claude = await proxy.chat("claude", "One");
    expect(claude).toMatchObject({
      status: 200,
      body: {
        object: "chat.completion",
        model: "claude",
        usage: { prompt_tokens: 8, completion_tokens: 16 },
        choices: [{ message: { content: "This is the sandbox's claude-haiku-4-5-20251001. You said: One" } }],
      },
    });
    // 8 tokens at 1 $ and 16 at 5 $ a million.
    expect(Number(claude.headers.get("x-litellm-response-cost"))).toBeCloseTo(0.000088, 9);
    expect((await proxy.chat("gpt", "Two")).body).toMatchObject({ model: "gpt", usage: { total_tokens: 21 } });
    expect(proxy.asked).toEqual(["anthropic: POST /v1/messages 200", "openai: POST /v1/chat/completions 200"]);
    expect((await proxy.ask("/spend/logs")).body).toMatchObject([
      { model: "openai/gpt-5.6-terra", model_group: "gpt", total_tokens: 21, cache_hit: "False" },
      { model: "anthropic/claude-haiku-4-5", model_group: "claude", spend: 0.000088 },
    ]);
  });

  test("streams", async () => {
    const { body, headers } = await proxy.chat("mini", "Three", MASTER, {
      stream: true,
      stream_options: { include_usage: true },
    });
    const lines = String(body).trim().split("\n\n");
    const parts = lines.slice(0, -1).map((line) => JSON.parse(line.replace("data: ", "")) as Part);
    const text = parts.map(({ choices }) => choices[0]?.delta.content ?? "");
    expect(headers.get("content-type")).toContain("text/event-stream");
    expect(text.join("")).toBe("This is the sandbox's gpt-4o-mini-2024-07-18. You said: Three");
    expect([parts.at(-1), lines.at(-1)]).toMatchObject([{ choices: [], usage: { total_tokens: 25 } }, "data: [DONE]"]);
  });

  test("answers the same question out of Redis, for nothing", async () => {
    await proxy.chat("claude", "Four");
    const again = await proxy.chat("claude", "Four");
    expect(proxy.asked).toHaveLength(1);
    expect(again.headers.get("x-litellm-cache-key")).toMatch(/^litellm:[0-9a-f]{64}$/);
    expect(again.headers.get("x-litellm-response-cost")).toBe("0");
  });

  test("asks again what failed in passing, and falls back when it goes on failing", async () => {
    proxy.faults.inject({ name: "llm-5xx", provider: "anthropic", times: 2 });
    const retried = await proxy.chat("claude", "Five");
    expect([retried.status, retried.headers.get("x-litellm-attempted-retries")]).toEqual([200, "2"]);
    proxy.faults.inject({ name: "llm-5xx", provider: "anthropic" });
    const other = await proxy.chat("claude", "Six");
    expect([other.headers.get("x-litellm-attempted-fallbacks"), other.body]).toMatchObject([
      "1",
      { model: "gpt-5.6-terra" },
    ]);
    proxy.faults.inject({ name: "llm-429", provider: "openai" });
    expect(await proxy.chat("claude", "Seven")).toMatchObject({
      status: 500,
      body: {
        error: { code: "500", message: expect.stringMatching(/overloaded_error.*Fallbacks=\['gpt'\].*rate_limit/s) },
      },
    });
  });

  test("/health asks every model a question: P18", async () => {
    expect((await proxy.ask("/health", undefined, "")).status).toBe(401);
    expect((await proxy.ask("/health")).body).toMatchObject({ healthy_count: 3, unhealthy_count: 0 });
    expect(proxy.asked).toHaveLength(3);
  });
});

describe("a virtual key of the fake", () => {
  const [key, next] = ["sk-Client0123456789", "sk-Client9876543210"];
  const info = (its: string) => proxy.ask(`/key/info?key=${sha256(its)}`);

  test("is made once under its name, and opens what it is for alone", async () => {
    expect((await info(key)).status).toBe(404);
    expect((await proxy.chat("claude", "x", key)).body).toMatchObject({
      error: { type: "token_not_found_in_db", code: "401" },
    });
    const wanted = { key, key_alias: "openclaw", models: [], max_budget: 0.0001, budget_duration: "1d" };
    expect(await proxy.ask("/key/generate", wanted)).toMatchObject({
      status: 200,
      body: { key, key_name: "sk-...6789" },
    });
    expect((await info(key)).body).toMatchObject({
      key: sha256(key),
      info: { key_alias: "openclaw", max_budget: 0.0001, budget_duration: "1d", models: [], spend: 0 },
    });
    expect((await proxy.ask("/key/generate", { key: next, key_alias: "openclaw" })).body).toMatchObject({
      error: { code: "400", message: expect.stringContaining("Key with alias 'openclaw' already exists") },
    });
    expect((await proxy.ask("/v1/models", undefined, key)).body).toMatchObject({
      data: [{ id: "claude" }, { id: "gpt" }, { id: "mini" }],
    });
    expect((await proxy.ask("/spend/logs", undefined, key)).status).toBe(401);
  });

  test("stops at its budget, in LiteLLM's words, and goes on when it gets more", async () => {
    expect((await proxy.chat("claude", "Eight", key)).status).toBe(200);
    expect((await proxy.chat("claude", "Nine", key)).status).toBe(200);
    expect(await proxy.chat("claude", "Ten", key)).toMatchObject({
      status: 429,
      body: {
        error: {
          type: "budget_exceeded",
          param: null,
          code: "429",
          message: expect.stringMatching(
            /^Budget has been exceeded! Key=openclaw \(sk-\.\.\.6789\) Current cost: 0\.000177, Max budget: 0\.0001$/,
          ),
        },
      },
    });
    expect((await proxy.ask("/key/update", { key, max_budget: 1 })).status).toBe(200);
    expect((await proxy.chat("claude", "Ten", key)).status).toBe(200);
    expect((await info(key)).body).toMatchObject({ info: { max_budget: 1, key_alias: "openclaw" } });
  });

  test("gives its name to the next, and is gone", async () => {
    expect((await proxy.ask("/key/generate", { key: next, models: [] })).status).toBe(200);
    expect((await proxy.ask("/key/update", { key: next, key_alias: "openclaw" })).status).toBe(400);
    expect((await proxy.ask("/key/delete", { key_aliases: ["openclaw"] })).status).toBe(200);
    expect((await proxy.ask("/key/update", { key: next, key_alias: "openclaw" })).status).toBe(200);
    expect([(await info(key)).status, (await info(next)).status]).toEqual([404, 200]);
  });

  test("stops when the whole proxy's budget is spent; the master key does not", async () => {
    const spent = async () => ((await proxy.ask("/global/spend")).body as { spend: number }).spend;
    for (let i = 0; (await spent()) <= config.litellm_settings.max_budget; i += 1) await proxy.chat("gpt", `More ${i}`);
    expect((await proxy.chat("claude", "Eleven", next)).body).toMatchObject({
      error: {
        type: "budget_exceeded",
        message: expect.stringMatching(/^Budget has been exceeded! Current cost: 0\.01\d*, Max budget: 0\.01$/),
      },
    });
    expect((await proxy.chat("claude", "Eleven")).status).toBe(200);
  });
});

test("its metrics have LiteLLM's names", async () => {
  expect(await proxy.metric('litellm_remaining_user_budget_metric{user="litellm-proxy-budget"} -')).toHaveLength(1);
  expect(await proxy.metric('litellm_user_max_budget_metric{user="litellm-proxy-budget"} 0.01')).toHaveLength(1);
  const failed = await proxy.metric('litellm_proxy_failed_requests_metric_total{api_key_alias="openclaw"');
  expect(failed.some((line) => line.includes('exception_class="BudgetExceededError"'))).toBe(true);
  for (const name of [
    "litellm_spend_metric_total",
    "litellm_input_tokens_metric_total",
    "litellm_output_tokens_metric_total",
    "litellm_proxy_total_requests_metric_total",
    "litellm_request_total_latency_metric_bucket",
    "litellm_llm_api_latency_metric_bucket",
    "litellm_deployment_state",
    "litellm_cache_hits_metric_total",
    "litellm_deployment_successful_fallbacks_total",
    "litellm_deployment_failure_responses_total",
  ]) {
    expect([name, (await proxy.metric(`${name}{`)).length > 0]).toEqual([name, true]);
  }
});

test("what it does not do, it says", async () => {
  expect(await proxy.ask("/v1/embeddings", {})).toMatchObject({
    status: 404,
    body: expect.stringContaining("does not do this"),
  });
});

describe("it does not start", () => {
  const { litellm_settings: settings, general_settings: general } = config;

  test.each([
    [
      "with a key it does not know",
      { litellm_settings: { ...settings, fallback: [] } },
      {},
      "field fallback not found",
    ],
    [
      "with fallbacks in one map",
      { litellm_settings: { ...settings, fallbacks: { claude: ["gpt"] } } },
      {},
      "cannot unmarshal !!map",
    ],
    [
      "with a fallback to no model",
      { litellm_settings: { ...settings, fallbacks: [{ claude: ["gtp"] }] } },
      {},
      'there is no model "gtp"',
    ],
    [
      "with a secret in clear text",
      { general_settings: { ...general, master_key: "sk-x" } },
      {},
      "general_settings.master_key is in clear text",
    ],
    [
      "with a model that has no price",
      { model_list: [model("x", "openai", "gpt-9")] },
      {},
      'no price is known of "openai/gpt-9"',
    ],
    [
      "without a period for its budget",
      { litellm_settings: { ...settings, budget_duration: "" } },
      {},
      "budget_duration is required to use max_budget",
    ],
    ["with a variable that LiteLLM has not", {}, { LITELLM_MASTERKEY: "x" }, "does not know: LITELLM_MASTERKEY"],
    ["without a salt key", {}, { LITELLM_SALT_KEY: "" }, "LITELLM_SALT_KEY is not set"],
    ["with a wrong password for Redis", {}, { REDIS_PASSWORD: "wrong" }, "WRONGPASS"],
  ])("%s", async (_what, changed, its, message) => {
    expect(await proxy.start(changed, its)).toEqual([1, expect.stringContaining(message)]);
  });
});

test("without its database it is not ready, and is again when that is back", async () => {
  const readiness = (status: number) => async () =>
    (await proxy.ask("/health/readiness", undefined, "")).status === status ? true : undefined;
  await docker("pause", proxy.db);
  await until("503", 15_000, readiness(503));
  await docker("unpause", proxy.db);
  await until("200", 15_000, readiness(200));
  expect((await proxy.ask("/health/liveliness", undefined, "")).body).toBe("I'm alive!");
});

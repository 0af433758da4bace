import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Ca, ensureCa } from "../../sandbox/network/ca.ts";
import { FaultBook } from "../../sandbox/control/fault-injector.ts";
import { type Front, startFront } from "../../sandbox/network/tls-terminator.ts";
import { newLlmKeys, openLlm } from "../../sandbox/llm/llm.ts";
import { run } from "../../shared/exec.ts";
import { ensureDebianPackages } from "../../toolchain/debian.ts";

const faults = new FaultBook();
const keys = newLlmKeys();
const log: string[] = [];
let home: string;
let ca: Ca;
let llm: Awaited<ReturnType<typeof openLlm>>;
let front: Front;

beforeAll(async () => {
  await ensureDebianPackages(["curl"], "a client that is not ours", () => undefined);
  home = await mkdtemp(join(tmpdir(), "vpai-llm-test-"));
  ca = await ensureCa(home);
  llm = await openLlm({ keys, faults, log: (line) => log.push(line) });
  front = await startFront({ host: "127.0.0.1", port: 0, ca, sites: llm.sites });
});
beforeEach(() => faults.clear());
afterAll(async () => {
  await front.close();
  await llm.close();
  await rm(home, { recursive: true });
});

/** By curl, under the provider's real name, believing the sandbox's CA. */
async function curl(url: string, headers: Readonly<Record<string, string>>, json?: unknown) {
  const host = new URL(url).hostname;
  const address = url.replace(host, `${host}:${front.port}`);
  const { stdout } = await run("curl", [
    "--silent",
    "--show-error",
    "--noproxy",
    "*",
    "--cacert",
    ca.certFile,
    "--resolve",
    `${host}:${front.port}:127.0.0.1`,
    "--write-out",
    "\n%{http_code} %header{retry-after}",
    address,
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    ...(json === undefined ? [] : ["--header", "content-type: application/json", "--data", JSON.stringify(json)]),
  ]);
  const [, body = "", status, retryAfter] = /^(.*)\n(\d+) (.*)$/s.exec(stdout) ?? [];
  return { status: Number(status), retryAfter, body: body.startsWith("{") ? (JSON.parse(body) as unknown) : body };
}

const claude = (json?: unknown, headers: Record<string, string> = {}) =>
  curl(
    `https://api.anthropic.com/v1/${json === undefined ? "models" : "messages"}`,
    { "x-api-key": keys.anthropicKey, "anthropic-version": "2023-06-01", ...headers },
    json,
  );
const gpt = (json?: unknown, headers: Record<string, string> = {}) =>
  curl(
    `https://api.openai.com/v1/${json === undefined ? "models" : "chat/completions"}`,
    { authorization: `Bearer ${keys.openaiKey}`, ...headers },
    json,
  );
const messages = [{ role: "user", content: "Good morning" }];
const claudeAsk = { model: "claude-sonnet-4-5", max_tokens: 100, messages };
const gptAsk = { model: "gpt-4o", messages };

describe("the simulated Anthropic", () => {
  test("answers the same to the same question, and counts", async () => {
    const said = await claude({ ...claudeAsk, system: "Be brief" });
    expect(said).toMatchObject({
      status: 200,
      body: {
        type: "message",
        role: "assistant",
        model: "claude-sonnet-4-5-20250929",
        content: [{ type: "text", text: "This is the sandbox's claude-sonnet-4-5-20250929. You said: Good morning" }],
        stop_reason: "end_turn",
        usage: { input_tokens: 12, output_tokens: 18 },
      },
    });
  });

  test("stops at max_tokens", async () => {
    expect((await claude({ ...claudeAsk, max_tokens: 2 })).body).toMatchObject({
      content: [{ text: "This is " }],
      stop_reason: "max_tokens",
      usage: { output_tokens: 2 },
    });
  });

  test("streams", async () => {
    const { body } = await claude({ ...claudeAsk, stream: true });
    const events = String(body).split("\n\n").filter(Boolean);
    expect(events.map((event) => /^event: (\w+)$/m.exec(event)?.[1])).toEqual([
      "message_start",
      "content_block_start",
      "ping",
      ...Array.from({ length: 9 }, () => "content_block_delta"),
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
  });

  test.each([
    ["no key", claudeAsk, { "x-api-key": "" }, 401, "authentication_error", "x-api-key header is required"],
    ["OpenAI's key", claudeAsk, { "x-api-key": keys.openaiKey }, 401, "authentication_error", "invalid x-api-key"],
    [
      "no version",
      claudeAsk,
      { "anthropic-version": "" },
      400,
      "invalid_request_error",
      "anthropic-version: header is required",
    ],
    ["another's model", { ...claudeAsk, model: "gpt-4o" }, {}, 404, "not_found_error", "model: gpt-4o"],
    [
      "no max_tokens",
      { model: "claude-opus-5", messages },
      {},
      400,
      "invalid_request_error",
      "max_tokens: Field required",
    ],
    [
      "what it does not know",
      { ...claudeAsk, n: 2 },
      {},
      400,
      "invalid_request_error",
      "n: Extra inputs are not permitted",
    ],
    [
      "a system message",
      { ...claudeAsk, messages: [{ role: "system", content: "x" }] },
      {},
      400,
      "invalid_request_error",
      "messages.0.role: Input should be 'user' or 'assistant'",
    ],
  ] as const)("refuses %s", async (_what, json, headers, status, type, message) => {
    const shown = { type: "error", error: { type, message }, request_id: expect.stringMatching(/^req_011C/) };
    expect(await claude(json, headers)).toMatchObject({ status, body: shown });
  });
});

describe("the simulated OpenAI", () => {
  test("answers the same to the same question, and counts", async () => {
    expect(await gpt(gptAsk)).toMatchObject({
      status: 200,
      body: {
        object: "chat.completion",
        model: "gpt-4o-2024-08-06",
        choices: [
          {
            message: { role: "assistant", content: "This is the sandbox's gpt-4o-2024-08-06. You said: Good morning" },
            finish_reason: "stop",
          },
        ],
        usage: { prompt_tokens: 10, completion_tokens: 16, total_tokens: 26 },
      },
    });
  });

  test("streams, with what it used when that is asked for", async () => {
    const { body } = await gpt({ ...gptAsk, stream: true, stream_options: { include_usage: true } });
    const lines = String(body).split("\n\n").filter(Boolean);
    const parts = lines.slice(0, -1).map((line) => JSON.parse(line.replace("data: ", "")) as Record<string, unknown>);
    expect(lines.at(-1)).toBe("data: [DONE]");
    expect(parts.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 26 } });
    const text = parts.flatMap(({ choices }) =>
      (choices as readonly { delta: { content?: string } }[]).map(({ delta }) => delta.content ?? ""),
    );
    expect(text.join("")).toBe("This is the sandbox's gpt-4o-2024-08-06. You said: Good morning");
  });

  test.each([
    ["no key", gptAsk, { authorization: "" }, 401, null, /^You didn't provide an API key/],
    [
      "a wrong key",
      gptAsk,
      { authorization: "Bearer sk-proj-wrong-one" },
      401,
      "invalid_api_key",
      /^Incorrect API key provided: sk-proj-\*+-one\./,
    ],
    [
      "another's model",
      { ...gptAsk, model: "claude-opus-5" },
      {},
      404,
      "model_not_found",
      /^The model `claude-opus-5` does not exist/,
    ],
    [
      "no messages",
      { model: "gpt-4o" },
      {},
      400,
      "missing_required_parameter",
      /^Missing required parameter: 'messages'/,
    ],
    ["what it does not know", { ...gptAsk, top_k: 2 }, {}, 400, "unknown_parameter", /^Unknown parameter: 'top_k'/],
    [
      "max_tokens for a model that reasons",
      { ...gptAsk, model: "gpt-5.6-terra", max_tokens: 5 },
      {},
      400,
      "unsupported_parameter",
      /Use 'max_completion_tokens' instead/,
    ],
  ] as const)("refuses %s", async (_what, json, headers, status, code, message) => {
    const said = await gpt(json, headers);
    expect(said).toMatchObject({ status, body: { error: { code, message: expect.stringMatching(message) } } });
  });
});

describe("the faults", () => {
  test("llm-5xx: Anthropic answers 529 and OpenAI 503, as often as told", async () => {
    faults.inject({ name: "llm-5xx", times: 2 });
    expect(await claude(claudeAsk)).toMatchObject({ status: 529, body: { error: { type: "overloaded_error" } } });
    expect(await gpt(gptAsk)).toMatchObject({ status: 503, body: { error: { type: "server_error" } } });
    expect([(await claude(claudeAsk)).status, (await gpt(gptAsk)).status]).toEqual([200, 200]);
  });

  test("llm-429 of one provider leaves the other in peace", async () => {
    faults.inject({ name: "llm-429", provider: "openai" });
    expect((await claude(claudeAsk)).status).toBe(200);
    expect(await gpt(gptAsk)).toMatchObject({
      status: 429,
      retryAfter: "1",
      body: { error: { type: "requests", code: "rate_limit_exceeded" } },
    });
  });
});

test("they list their models to a client with a key", async () => {
  for (const body of [(await claude()).body, (await gpt()).body]) {
    expect((body as { data: readonly unknown[] }).data.length).toBeGreaterThan(5);
  }
});

test("no key and no question is in the log", () => {
  expect(log).toContain("anthropic: POST /v1/messages 200");
  expect(log.filter((line) => line.includes("sk-") || line.includes("morning"))).toEqual([]);
});

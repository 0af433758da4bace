import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from "fastify";
import { newId, pieces, type ProviderOptions, reply, sameKey, sendEvents, textOf, tokensOf } from "./answers.ts";
import { OPENAI_MODELS, reasons } from "./models.ts";

interface Refusal {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

class OpenaiError extends Error {
  readonly status: number;
  readonly refusal: Refusal;

  constructor(status: number, message: string, more: Partial<Refusal> = {}) {
    super(message);
    this.status = status;
    this.refusal = { message, type: "invalid_request_error", param: null, code: null, ...more };
  }
}

/** Members of a request, as the chat completions API has them. Any other is refused there too. */
const KNOWN = new Set([
  "model",
  "messages",
  "audio",
  "frequency_penalty",
  "function_call",
  "functions",
  "logit_bias",
  "logprobs",
  "max_completion_tokens",
  "max_tokens",
  "metadata",
  "modalities",
  "n",
  "parallel_tool_calls",
  "prediction",
  "presence_penalty",
  "prompt_cache_key",
  "prompt_cache_retention",
  "reasoning_effort",
  "response_format",
  "safety_identifier",
  "seed",
  "service_tier",
  "stop",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "user",
  "verbosity",
  "web_search_options",
]);
const ROLES = ["system", "assistant", "user", "function", "tool", "developer"];

interface Wanted {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

/** The simulated OpenAI: `POST /v1/chat/completions` and `GET /v1/models`, with its real errors. */
export function openai({ key, faults, log }: ProviderOptions): FastifyInstance {
  const app = fastify({ bodyLimit: 32 * 1024 * 1024 });
  app.addHook("onRequest", async (request, response) => {
    response.header("x-request-id", newId("req_", 32));
    checkKey(request.headers.authorization, key);
    const ours = ({ provider }: { provider?: string | undefined }): boolean => provider !== "anthropic";
    if (faults.strike("llm-429", ours)) {
      response.header("retry-after", "1");
      const message = "Rate limit reached for requests. Please try again in 1s.";
      throw new OpenaiError(429, message, { type: "requests", code: "rate_limit_exceeded" });
    }
    if (faults.strike("llm-5xx", ours)) {
      const message = "The engine is currently overloaded, please try again later";
      throw new OpenaiError(503, message, { type: "server_error" });
    }
  });
  app.addHook("onResponse", (request, response, done) => {
    log(`openai: ${request.method} ${request.url} ${response.statusCode}`);
    done();
  });
  app.setErrorHandler((error, _request, response) => refuse(response, error as FastifyError | OpenaiError));
  app.setNotFoundHandler((request, response) =>
    refuse(response, new OpenaiError(404, `Invalid URL (${request.method} ${request.url})`)),
  );
  const model = (id: string) => ({ id, object: "model", created: 1_767_225_600, owned_by: "system" });
  app.get("/v1/models", () => ({ object: "list", data: Object.keys(OPENAI_MODELS).map(model) }));
  app.get<{ Params: { id: string } }>("/v1/models/:id", ({ params: { id } }) => model(existing(id)));
  app.post("/v1/chat/completions", async (request, response) => {
    const wanted = check(request.body);
    const completion = answer(wanted);
    if (wanted.stream !== true) return completion;
    response.hijack();
    const headers = { "x-request-id": String(response.getHeader("x-request-id")) };
    sendEvents(response.raw, events(completion, wanted.stream_options?.include_usage === true), headers);
    return response;
  });
  return app;
}

function checkKey(header: string | undefined, key: string): void {
  const given = /^Bearer (\S+)$/.exec(header ?? "")?.[1];
  if (given === undefined) {
    const how = "You need to provide your API key in an Authorization header using Bearer auth";
    throw new OpenaiError(401, `You didn't provide an API key. ${how} (i.e. Authorization: Bearer YOUR_KEY).`);
  }
  if (sameKey(given, key)) return;
  const shown = `${given.slice(0, 8)}${"*".repeat(8)}${given.slice(-4)}`;
  const where = "You can find your API key at https://platform.openai.com/account/api-keys.";
  throw new OpenaiError(401, `Incorrect API key provided: ${shown}. ${where}`, { code: "invalid_api_key" });
}

function refuse(response: FastifyReply, error: FastifyError | OpenaiError): void {
  const known = error instanceof OpenaiError ? error : new OpenaiError(error.statusCode ?? 400, error.message);
  void response.code(known.status).send({ error: known.refusal });
}

function existing(model: string): string {
  if (Object.hasOwn(OPENAI_MODELS, model)) return model;
  const message = `The model \`${model}\` does not exist or you do not have access to it.`;
  throw new OpenaiError(404, message, { code: "model_not_found" });
}

function check(body: unknown): Wanted {
  if (typeof body !== "object" || body === null)
    throw new OpenaiError(400, "We could not parse the JSON body of your request.");
  const { model, messages } = body as Record<string, unknown>;
  if (typeof model !== "string" || model === "") throw new OpenaiError(400, "you must provide a model parameter");
  for (const param of Object.keys(body)) {
    if (!KNOWN.has(param))
      throw new OpenaiError(400, `Unknown parameter: '${param}'.`, { param, code: "unknown_parameter" });
  }
  const param = "messages";
  if (messages === undefined) {
    throw new OpenaiError(400, `Missing required parameter: '${param}'.`, {
      param,
      code: "missing_required_parameter",
    });
  }
  if (!Array.isArray(messages) || messages.length === 0) {
    const message = `Invalid '${param}': empty array. Expected an array with minimum length 1, but got an empty array instead.`;
    throw new OpenaiError(400, message, { param, code: "empty_array" });
  }
  (messages as readonly { role?: unknown }[]).forEach(({ role }, i) => {
    if (ROLES.includes(String(role))) return;
    const message = `Invalid value: '${String(role)}'. Supported values are: ${ROLES.map((each) => `'${each}'`).join(", ")}.`;
    throw new OpenaiError(400, message, { param: `messages[${i}].role`, code: "invalid_value" });
  });
  existing(model);
  if (reasons(model) && "max_tokens" in body) {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    throw new OpenaiError(400, message, { param: "max_tokens", code: "unsupported_parameter" });
  }
  return body as Wanted;
}

function answer({ model, messages, max_tokens, max_completion_tokens }: Wanted) {
  const name = OPENAI_MODELS[model] ?? model;
  const question = textOf(messages.findLast(({ role }) => role === "user")?.content);
  const { text, cut } = reply(name, question, max_completion_tokens ?? max_tokens ?? 4096);
  const asked = messages.reduce((sum, { content }) => sum + tokensOf(textOf(content)) + 4, 3);
  const used = tokensOf(text);
  return {
    id: newId("chatcmpl-", 29),
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: name,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: text, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: cut ? "length" : "stop",
      },
    ],
    usage: {
      prompt_tokens: asked,
      completion_tokens: used,
      total_tokens: asked + used,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    service_tier: "default",
    system_fingerprint: null,
  };
}

function events({ choices, usage, ...rest }: ReturnType<typeof answer>, includeUsage: boolean): string[] {
  const [choice] = choices;
  const chunk = (more: object): string =>
    `data: ${JSON.stringify({ ...rest, object: "chat.completion.chunk", ...more, ...(includeUsage && !("usage" in more) && { usage: null }) })}`;
  const part = (delta: object, finish_reason: string | null = null): string =>
    chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason }] });
  return [
    part({ role: "assistant", content: "", refusal: null }),
    ...pieces(choice?.message.content ?? "").map((content) => part({ content })),
    part({}, choice?.finish_reason ?? "stop"),
    ...(includeUsage ? [chunk({ choices: [], usage })] : []),
    "data: [DONE]",
  ];
}

import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from "fastify";
import { newId, pieces, type ProviderOptions, reply, sameKey, sendEvents, textOf, tokensOf } from "./answers.ts";
import { ANTHROPIC_MODELS } from "./models.ts";

class AnthropicError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

const invalid = (message: string): AnthropicError => new AnthropicError(400, "invalid_request_error", message);

/** Members of a request, as the Messages API has them. Any other is refused there too. */
const KNOWN = new Set([
  "model",
  "messages",
  "max_tokens",
  "system",
  "metadata",
  "stop_sequences",
  "stream",
  "temperature",
  "top_p",
  "top_k",
  "tools",
  "tool_choice",
  "thinking",
  "service_tier",
  "container",
  "mcp_servers",
  "context_management",
  "output_config",
  "output_format",
  "cache_control",
  "inference_geo",
]);

interface Wanted {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly system?: unknown;
  readonly stream?: boolean;
}

/** The simulated Anthropic: `POST /v1/messages` and `GET /v1/models`, with its real errors. */
export function anthropic({ key, faults, log }: ProviderOptions): FastifyInstance {
  const app = fastify({ bodyLimit: 32 * 1024 * 1024 });
  app.addHook("onRequest", async (request, response) => {
    response.header("request-id", newId("req_011C", 20));
    const given = request.headers["x-api-key"];
    if (given === undefined) throw new AnthropicError(401, "authentication_error", "x-api-key header is required");
    if (!sameKey(String(given), key)) throw new AnthropicError(401, "authentication_error", "invalid x-api-key");
    if (request.headers["anthropic-version"] !== "2023-06-01") throw invalid("anthropic-version: header is required");
    const ours = ({ provider }: { provider?: string | undefined }): boolean => provider !== "openai";
    if (faults.strike("llm-429", ours)) {
      response.header("retry-after", "1");
      throw new AnthropicError(429, "rate_limit_error", "This request would exceed your organization's rate limit.");
    }
    if (faults.strike("llm-5xx", ours)) throw new AnthropicError(529, "overloaded_error", "Overloaded");
  });
  app.addHook("onResponse", (request, response, done) => {
    log(`anthropic: ${request.method} ${request.url} ${response.statusCode}`);
    done();
  });
  app.setErrorHandler((error, _request, response) => refuse(response, error as FastifyError | AnthropicError));
  app.setNotFoundHandler((_request, response) =>
    refuse(response, new AnthropicError(404, "not_found_error", "Not found")),
  );
  app.get("/v1/models", () => {
    const data = [...new Set(Object.values(ANTHROPIC_MODELS))].map((id) => ({
      type: "model",
      id,
      display_name: id,
      created_at: "2026-01-01T00:00:00Z",
    }));
    return { data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id };
  });
  app.post("/v1/messages", async (request, response) => {
    const wanted = check(request.body);
    const message = answer(wanted);
    if (wanted.stream !== true) return message;
    response.hijack();
    sendEvents(response.raw, events(message), { "request-id": String(response.getHeader("request-id")) });
    return response;
  });
  return app;
}

function refuse(response: FastifyReply, error: FastifyError | AnthropicError): void {
  const known = error instanceof AnthropicError ? error : invalid(error.message);
  const [status, type] = [known.status, known.type];
  const request_id = response.getHeader("request-id");
  void response.code(status).send({ type: "error", error: { type, message: known.message }, request_id });
}

function check(body: unknown): Wanted {
  if (typeof body !== "object" || body === null) throw invalid("The request body is not valid JSON");
  const { model, max_tokens, messages } = body as Record<string, unknown>;
  for (const name of ["model", "max_tokens", "messages"]) if (!(name in body)) throw invalid(`${name}: Field required`);
  for (const name of Object.keys(body)) if (!KNOWN.has(name)) throw invalid(`${name}: Extra inputs are not permitted`);
  if (typeof model !== "string") throw invalid("model: Input should be a valid string");
  if (!Number.isInteger(max_tokens)) throw invalid("max_tokens: Input should be a valid integer");
  if ((max_tokens as number) < 1) throw invalid("max_tokens: Input should be greater than or equal to 1");
  if (!Array.isArray(messages)) throw invalid("messages: Input should be a valid list");
  if (messages.length === 0) throw invalid("messages: at least one message is required");
  (messages as readonly { role?: unknown; content?: unknown }[]).forEach(({ role, content }, i) => {
    if (role !== "user" && role !== "assistant")
      throw invalid(`messages.${i}.role: Input should be 'user' or 'assistant'`);
    if (content === undefined) throw invalid(`messages.${i}.content: Field required`);
  });
  if (!Object.hasOwn(ANTHROPIC_MODELS, model)) throw new AnthropicError(404, "not_found_error", `model: ${model}`);
  return body as Wanted;
}

function answer({ model, messages, system, max_tokens }: Wanted) {
  const name = ANTHROPIC_MODELS[model] ?? model;
  const question = textOf(messages.findLast(({ role }) => role === "user")?.content);
  const { text, cut } = reply(name, question, max_tokens);
  const said = [textOf(system), ...messages.map(({ content }) => textOf(content))];
  return {
    id: newId("msg_01", 22),
    type: "message",
    role: "assistant",
    model: name,
    content: [{ type: "text", text }],
    stop_reason: cut ? "max_tokens" : "end_turn",
    stop_sequence: null,
    usage: {
      input_tokens: said.reduce((sum, each) => sum + tokensOf(each) + 3, 1),
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: tokensOf(text),
      service_tier: "standard",
    },
  };
}

function events(message: ReturnType<typeof answer>): string[] {
  const { content, stop_reason, stop_sequence, usage, ...rest } = message;
  const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}`;
  const begun = { ...rest, content: [], stop_reason: null, stop_sequence, usage: { ...usage, output_tokens: 1 } };
  return [
    event("message_start", { message: begun }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    event("ping", {}),
    ...pieces(content[0]?.text ?? "").map((text) =>
      event("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    ),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason, stop_sequence }, usage: { output_tokens: usage.output_tokens } }),
    event("message_stop", {}),
  ];
}

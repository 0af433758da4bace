import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench, untilExec } from "./container-harness.ts";

const pin = `ghcr.io/openclaw/openclaw:2026.9.9@sha256:${"0".repeat(64)}`;
const TOKEN = "Gateway-token-0123456789";
const ORIGIN = "https://openclaw.example.test";
const config = {
  gateway: {
    mode: "local",
    port: 18789,
    bind: "lan",
    publicOrigin: ORIGIN,
    trustedProxies: ["172.20.2.0/24"],
    auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}" },
    controlUi: { enabled: true, allowedOrigins: [ORIGIN] },
  },
  models: {
    providers: {
      litellm: {
        baseUrl: "http://litellm:4000/v1",
        apiKey: "${LITELLM_API_KEY}",
        api: "openai-completions",
        models: [{ id: "claude", name: "claude", maxTokens: 64 }],
      },
    },
  },
  agents: { defaults: { model: { primary: "litellm/claude" } } },
};
const env = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
const variables = {
  OPENCLAW_CONFIG_PATH: "/etc/openclaw.json",
  OPENCLAW_GATEWAY_TOKEN: TOKEN,
  LITELLM_API_KEY: "sk-Key0123456789",
};
let bench: Bench;
let container: string;
let options: readonly string[];
let url: string;
let model: Server;
/** What the model was asked: the key, and the conversation. */
const asked: { key: string; body: { model: string; max_tokens: number; messages: { content: string }[] } }[] = [];

beforeAll(async () => {
  bench = await openBench([pin]);
  model = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ key: request.headers.authorization ?? "", body: JSON.parse(body) as (typeof asked)[0]["body"] });
      const spent = body.includes("too much");
      response.writeHead(spent ? 429 : 200, { "content-type": "application/json" });
      response.end(
        JSON.stringify(
          spent
            ? { error: { message: "Budget has been exceeded!", type: "budget_exceeded" } }
            : { choices: [{ message: { role: "assistant", content: `answer ${asked.length}` } }] },
        ),
      );
    });
  }).listen(0);
  const network = bench.home.replace(/^.*\//, "").replace(/-[^-]*$/, "");
  const host = await docker("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Gateway}}{{end}}", network);
  const { port } = model.address() as { port: number };
  const file = JSON.stringify(config).replace("litellm:4000", `litellm:${port}`);
  options = [
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
    "--read-only",
    "--user",
    "1000:1000",
    "--add-host",
    `litellm:${host}`,
    "--tmpfs",
    "/home/node/.openclaw:uid=1000,mode=700",
  ];
  const mount = ["-v", `${await bench.file("openclaw.json", file, 1000)}:/etc/openclaw.json:ro`];
  container = await bench.start("openclaw", pin, [...options, ...mount, ...env(variables)]);
  await untilExec(container, "sh", "-c", `curl -fsS http://127.0.0.1:18789/startupz | grep -q '"status":"started"'`);
  url = `http://${await bench.address(container)}:18789`;
}, 300_000);
afterAll(async () => {
  model.close();
  await bench.clear();
});

/** Starts another with something changed, and answers how it ended. */
async function refused(changed: object, its: Readonly<Record<string, string>> = {}): Promise<[number, string]> {
  const file = await bench.file("bad.json", JSON.stringify({ ...config, ...changed }), 1000);
  const more = [...options, "-v", `${file}:/etc/openclaw.json:ro`, ...env({ ...variables, ...its })];
  const { code, output } = await bench.once(pin, more);
  return [code, output.slice(output.search(/OpenClaw config|Error:/)).trim()];
}

interface Frame {
  readonly type: string;
  readonly event?: string;
  readonly ok?: boolean;
  readonly payload?: unknown;
  readonly error?: { readonly message: string };
}

/** Opens a WebSocket as some client, sends requests one by one, and answers what came back to each. */
async function talk(as: object, origin: string | undefined, ...requests: readonly object[]): Promise<Frame[]> {
  const heard: Frame[] = [];
  const first = { type: "req", id: "0", method: "connect", params: { minProtocol: 3, maxProtocol: 4, ...as } };
  const left = [first, ...requests];
  await new Promise<void>((resolve) => {
    const headers = origin === undefined ? {} : { origin };
    const socket = new WebSocket(url.replace("http", "ws"), { headers } as never);
    const next = (): void => {
      const request = left.shift();
      if (request) socket.send(JSON.stringify(request));
      else socket.close();
    };
    socket.onmessage = ({ data }) => {
      heard.push(JSON.parse(String(data)) as Frame);
      next();
    };
    socket.onclose = ({ code, reason }) => {
      heard.push({ type: `closed ${code} ${reason}` });
      resolve();
    };
  });
  return heard;
}

const listener = { client: { id: "cli", mode: "cli" }, role: "operator", scopes: ["operator.write"] };
const withToken = { ...listener, auth: { token: TOKEN } };

test("is live, started and ready, says that it is a fake, and answers what it is not with its page or 404", async () => {
  const get = async (path: string, headers = {}): Promise<[number, string]> => {
    const response = await fetch(`${url}${path}`, { headers });
    return [response.status, (await response.text()).trim()];
  };
  expect(await get("/healthz")).toEqual([200, '{"ok":true,"status":"live"}']);
  // From outside the container these two are refused; its own health check may ask them.
  expect([await get("/startupz"), await get("/readyz")]).toEqual([
    [403, "Forbidden"],
    [403, "Forbidden"],
  ]);
  const inside = (path: string) => bench.exec(container, "curl", "-fsS", `http://127.0.0.1:18789${path}`);
  expect(await inside("/startupz")).toBe('{"ok":true,"status":"started"}');
  expect(await inside("/readyz")).toBe('{"ready":true}');
  // P21: why no health check may ask just any address.
  expect(await get("/no/such/page")).toEqual([200, expect.stringContaining("OpenClaw Control (sandbox fake)")]);
  expect(await get("/v1/models")).toEqual([404, "Not Found"]);
  expect((await get("/control-ui-config.json"))[0]).toBe(401);
  expect((await get("/control-ui-config.json", { authorization: `Bearer ${TOKEN}` }))[0]).toBe(200);
  expect(await logs(container)).toContain("Fake of OpenClaw for the sandbox, version 2026.9.9");
});

test("lets in over a WebSocket who has the token and comes from an allowed origin, with no rights but on its loopback", async () => {
  const health = { type: "req", id: "1", method: "health" };
  const send = { type: "req", id: "2", method: "chat.send", params: { message: "x", idempotencyKey: "k" } };
  expect(await talk(withToken, ORIGIN, health, send, { type: "req", id: "3", method: "config.set" })).toMatchObject([
    { event: "connect.challenge" },
    { ok: true, payload: { type: "hello-ok", protocol: 4, server: { version: "2026.9.9" }, auth: { scopes: [] } } },
    { ok: true, payload: { ok: true } },
    { ok: false, error: { message: "missing scope: operator.write" } },
    { ok: false, error: { message: expect.stringContaining("unknown method: config.set") } },
    { type: expect.stringContaining("closed") },
  ]);
  for (const [as, origin, message] of [
    [{ ...listener, auth: { token: "wrong" } }, undefined, "unauthorized: gateway token mismatch"],
    [withToken, "https://evil.test", "origin not allowed"],
    [{ ...withToken, client: { id: "openclaw-control-ui" } }, ORIGIN, "control ui requires device identity"],
    [{ ...withToken, maxProtocol: 3 }, undefined, "protocol mismatch"],
  ] as const) {
    expect(await talk(as, origin)).toMatchObject([
      { event: "connect.challenge" },
      { ok: false, error: { message: expect.stringContaining(message) } },
      { type: expect.stringContaining(`closed 1008 ${message}`) },
    ]);
  }
});

test("asks its model with its own key, remembers the conversation, and says why there is no answer", async () => {
  const say = (message: string) => bench.exec(container, "openclaw", "agent", "--agent", "main", "--message", message);
  expect(await say("one")).toBe("answer 1");
  expect(await say("two")).toBe("answer 2");
  expect(asked[1]).toEqual({
    key: "Bearer sk-Key0123456789",
    body: {
      model: "claude",
      max_tokens: 64,
      messages: [
        { role: "user", content: "one" },
        { role: "assistant", content: "answer 1" },
        { role: "user", content: "two" },
      ],
    },
  });
  await expect(say("too much")).rejects.toThrow("litellm/claude: 429 Too Many Requests");
  const kept = await bench.exec(container, "cat", "/home/node/.openclaw/agents/main/sessions/main.jsonl");
  expect(kept.split("\n")).toHaveLength(4);
});

test("refuses a configuration with keys that OpenClaw does not know or has retired, all at once, with its exit code", async () => {
  const { gateway } = config;
  const controlUi = { ...gateway.controlUi, allowInsecureAuth: true };
  expect(await refused({ heartbeat: {}, gateway: { ...gateway, bind: "0.0.0.0", port: "18789", controlUi } })).toEqual([
    78,
    [
      "OpenClaw config is invalid",
      "File: /etc/openclaw.json",
      "Problem:",
      '  - gateway.bind: Invalid input (allowed: ["auto" "lan" "loopback" "custom" "tailnet"]), got: "0.0.0.0"',
      '  - gateway.controlUi: Unrecognized key: "allowInsecureAuth"',
      "  - gateway.port: Invalid input: expected number, received string",
      '  - <root>: Unrecognized key: "heartbeat"',
    ].join("\n"),
  ]);
  expect(await refused({ agents: { defaults: { model: "litellm/claude" } } })).toEqual([
    78,
    expect.stringContaining("agents.defaults.model: Invalid input: expected object, received string"),
  ]);
});

test("refuses what does not fit together, secrets in clear text, and variables that OpenClaw does not have", async () => {
  const auth = { mode: "token", token: TOKEN };
  expect(
    await refused(
      { gateway: { ...config.gateway, auth }, agents: { defaults: { model: { primary: "litellm/no" } } } },
      { LITELLM_API_KEY: "" },
    ),
  ).toEqual([
    78,
    [
      "OpenClaw config is invalid",
      "File: /etc/openclaw.json",
      "Problem:",
      "  - gateway.auth.token: a secret in clear text (this fake refuses)",
      '  - models.providers.litellm.apiKey: env var "LITELLM_API_KEY" is missing (this fake refuses)',
      '  - agents.defaults.model.primary: "litellm/no" is no model of models.providers (this fake refuses)',
    ].join("\n"),
  ]);
  expect(await refused({}, { OPENCLAW_TOKEN: "x" })).toEqual([
    1,
    "Error: variables that this fake does not know: OPENCLAW_TOKEN",
  ]);
});

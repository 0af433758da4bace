import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { parseVerified, type ProviderKey, verifyKeys } from "../../ops/settings/verify-keys.ts";
import { FaultBook } from "../../sandbox/control/fault-injector.ts";
import { newLlmKeys, openLlm } from "../../sandbox/llm/llm.ts";
import { type Ca, ensureCa } from "../../sandbox/network/ca.ts";
import { type Front, startFront } from "../../sandbox/network/tls-terminator.ts";

const keys = newLlmKeys();
const BOT = `123456789:${"Ab0_-".repeat(7)}`;
const TOKEN = "t0".repeat(32);
let home: string;
let ca: Ca;
let llm: Awaited<ReturnType<typeof openLlm>>;
let front: Front;
let hetzner: Server;
let asked: string[] = [];

const json = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

/** Words of https://core.telegram.org/bots/api: an answer has `ok`, and a `description` when it is not. */
const telegram = ({ url }: IncomingMessage, response: ServerResponse): void =>
  url === `/bot${BOT}/getMe`
    ? json(response, 200, { ok: true, result: { id: 123456789, is_bot: true } })
    : json(response, 401, { ok: false, error_code: 401, description: "Unauthorized" });

const counted = (site: { names: readonly string[]; answer: typeof telegram }) => ({
  names: site.names,
  answer: (request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${site.names[0]}${request.url?.replace(BOT, "<token>")}`);
    site.answer(request, response);
  },
});

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-keys-test-"));
  ca = await ensureCa(home);
  llm = await openLlm({ keys, faults: new FaultBook(), log: () => undefined });
  const sites = [...llm.sites, { names: ["api.telegram.org"], answer: telegram }].map(counted);
  front = await startFront({ host: "127.0.0.1", port: 0, ca, sites });
  hetzner = createServer(({ headers }, response) =>
    headers.authorization === `Bearer ${TOKEN}`
      ? json(response, 200, { locations: [] })
      : json(response, 401, { error: { code: "unauthorized", message: "unable to authenticate" } }),
  );
  await new Promise<void>((resolve) => hetzner.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => {
  asked = [];
});
afterAll(async () => {
  await front.close();
  await llm.close();
  await new Promise((resolve) => hetzner.close(resolve));
  await rm(home, { recursive: true });
});

const NONE = parseVerified(undefined);
const key = (name: ProviderKey["key"], value: string): ProviderKey => ({ key: name, name: `vpai:${name}`, value });
const options = () => ({
  hetzner: `http://127.0.0.1:${(hetzner.address() as AddressInfo).port}/v1`,
  through: { address: "127.0.0.1", port: front.port, ca: ca.certPem },
});
const good = [
  key("anthropicApiKey", keys.anthropicKey),
  key("openaiApiKey", keys.openaiKey),
  key("openclawTelegramToken", BOT),
];

test("a new key costs one request, which is free and changes nothing; a verified one costs none", async () => {
  const first = await verifyKeys(good, NONE, options());
  expect([first.faults, first.notices]).toEqual([[], []]);
  expect(asked.toSorted()).toEqual([
    "GET api.anthropic.com/v1/models?limit=1",
    "GET api.openai.com/v1/models",
    "GET api.telegram.org/bot<token>/getMe",
  ]);
  asked = [];
  // Through the text that is stored between two runs.
  const again = await verifyKeys(good, parseVerified(JSON.stringify(first.verified)), options());
  expect([asked, again.faults]).toEqual([[], []]);
  expect(JSON.stringify(first.verified)).not.toContain(keys.anthropicKey);
});

test("another key of the same setting is new", async () => {
  const { verified } = await verifyKeys(good, NONE, options());
  const { faults } = await verifyKeys([key("openaiApiKey", `${keys.openaiKey}x`)], verified, options());
  expect(faults.map((fault) => fault.key)).toEqual(["vpai:openaiApiKey"]);
});

describe("a refused key is an error with the provider's own words, and without the key", () => {
  const refused: readonly (readonly [ProviderKey, string])[] = [
    [key("anthropicApiKey", "sk-ant-api03-of-another-account"), "refused by Anthropic (401: invalid x-api-key)"],
    [
      key("openaiApiKey", "sk-proj-of-another-account-0123456789"),
      "refused by OpenAI (401: Incorrect API key provided: sk-… You can find your API key at https://platform.openai.com/account/api-keys)",
    ],
    [key("openclawTelegramToken", "123456789:another"), "refused by Telegram (401: Unauthorized)"],
  ];
  test.each(refused.map(([given, found]) => ({ setting: given.key, given, found })))(
    "$setting",
    async ({ given, found }) => {
      const { faults, verified } = await verifyKeys([given], NONE, options());
      expect(faults).toEqual([
        expect.objectContaining({ key: given.name, found, fix: expect.stringContaining("--offline") as unknown }),
      ]);
      expect(JSON.stringify([faults, verified])).not.toContain(given.value);
      expect(verified.digests).toEqual({});
    },
  );

  test("Hetzner's token, at the API that the stack uses", async () => {
    const { hetzner: endpoint } = options();
    const taken = await verifyKeys([key("hetznerToken", TOKEN)], NONE, { hetzner: endpoint });
    expect([taken.faults, taken.notices]).toEqual([[], []]);
    const { faults } = await verifyKeys([key("hetznerToken", "x".repeat(64))], NONE, { hetzner: endpoint });
    expect(faults.map(({ found }) => found)).toEqual(["refused by Hetzner (401: unable to authenticate)"]);
  });
});

test("a provider that cannot be reached stops nothing, and its key stays new", async () => {
  const nowhere = { ...options(), through: { address: "127.0.0.1", port: 1, ca: ca.certPem } };
  const { faults, notices, verified } = await verifyKeys([key("anthropicApiKey", keys.anthropicKey)], NONE, nowhere);
  expect([faults, notices, verified.digests]).toEqual([
    [],
    ["vpai:anthropicApiKey is not verified: Anthropic cannot be reached (ECONNREFUSED)"],
    {},
  ]);
});

test("a broken record of verified keys means that none is", () => {
  for (const text of ["", "{", "[]", '{"salt":1}']) expect(parseVerified(text).digests).toEqual({});
});

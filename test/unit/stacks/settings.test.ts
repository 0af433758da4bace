import { describe, expect, test } from "@jest/globals";
import { DEFAULT_MODELS } from "../../../components/llm/models.ts";
import { OperatorError } from "../../../shared/errors.ts";
import { decodeSettings } from "../../../stacks/settings/decode.ts";
import { parseSettings, serviceSettings, type Sources } from "../../../stacks/settings/parse.ts";

const TOKEN = "aTokenThatMustNeverBeShown0123456789".padEnd(64, "x");
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS";
const API_KEY = "sk-ant-a-key-that-must-never-be-shown-0123456789";
const hetzner = { provider: "hetzner", serverType: "cx33", location: "fsn1" };
const existing = { provider: "existing", address: "10.0.0.7", hostKey: HOST_KEY, memoryMb: 8192 };

/** Sources as Pulumi gives them: objects as JSON. Undefined takes a key away. */
function sources(config: Record<string, unknown>, rest: Partial<Sources> = {}): Sources {
  const all = { domain: "ai.your.domain", vps: hetzner, hetznerToken: TOKEN, anthropicApiKey: API_KEY, ...config };
  const text = Object.entries(all).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, typeof value === "string" ? value : JSON.stringify(value)] as const],
  );
  return {
    stack: "prod",
    config: Object.fromEntries(text),
    encrypted: ["hetznerToken", "rootPassword", "anthropicApiKey"],
    env: {},
    ...rest,
  };
}

function faultsOf(given: Sources): string {
  try {
    parseSettings(given);
  } catch (error) {
    if (error instanceof OperatorError) return error.message;
    throw error;
  }
  return "no fault";
}

test("defaults are those the schema documents", () => {
  expect(parseSettings(sources({}))).toEqual({
    stack: "prod",
    workFolder: ".vpai/prod",
    publicPort: 443,
    domain: "ai.your.domain",
    timezone: "Etc/UTC",
    size: "standard",
    protect: true,
    vps: { ...hetzner, serverTypeFallbacks: [], locationFallbacks: [], generation: 1 },
    ssh: { port: 2222, allowedCidrs: ["0.0.0.0/0", "::/0"] },
    dns: { provider: "none", ttl: 300, issuers: [] },
    images: {},
    imageLock: false,
    disabledServices: [],
    owner: { firstName: "Stack", lastName: "Owner" },
    models: [],
    dailyBudgetUsd: 5,
    retention: { metricsDays: 30, logsDays: 14 },
    tls: { issuer: "letsencrypt" },
    vpn: { host: false, hostname: "vpai" },
    vpnCidrs: [],
    telegramAllowFrom: [],
    providedSecrets: ["anthropicApiKey"],
    machine: { name: "cx33", memoryMb: 8192 },
  });
});

test("an existing server has its own defaults and needs no token", () => {
  const settings = parseSettings(sources({ vps: existing, hetznerToken: undefined, rootPassword: "x" }));
  expect(settings.vps).toEqual({ ...existing, port: 22, user: "root", generation: 1, passwordLogin: true });
  expect(settings.machine).toEqual({ name: "10.0.0.7", memoryMb: 8192 });
});

test("with fallbacks, the smallest type is the one that has to be enough", () => {
  const settings = parseSettings(sources({ vps: { ...hetzner, serverTypeFallbacks: ["cx43", "cx23"] } }));
  expect(settings.machine).toEqual({ name: "cx23", memoryMb: 4096 });
});

test("the environment gives token, endpoint and work folder", () => {
  const env = { HCLOUD_TOKEN: TOKEN, HCLOUD_ENDPOINT: "http://10.0.0.1:8080/v1", VPAI_WORK: ".vpai/x" };
  const settings = parseSettings(sources({ hetznerToken: "" }, { env }));
  expect([settings.hetznerEndpoint, settings.workFolder]).toEqual(["http://10.0.0.1:8080/v1", ".vpai/x"]);
  expect(JSON.stringify(settings)).not.toContain(TOKEN);
});

test("what the products see of the settings: usual models, the owner at the domain", () => {
  const { owner, models, dailyBudgetUsd } = serviceSettings(parseSettings(sources({})));
  expect(owner).toEqual({ email: "admin@ai.your.domain", firstName: "Stack", lastName: "Owner" });
  expect([models, dailyBudgetUsd]).toEqual([DEFAULT_MODELS, 5]);
  expect(serviceSettings(parseSettings(sources({ owner: { email: "me@example.org" } }))).owner.email).toBe(
    "me@example.org",
  );
});

test("providers' keys come from the environment too; one is enough, none is a fault, unless LiteLLM is left out", () => {
  const env = { OPENAI_API_KEY: API_KEY.replace("sk-ant-", "sk-proj-") };
  const without = (given: Record<string, unknown>) => sources({ anthropicApiKey: undefined, ...given });
  expect(parseSettings({ ...without({}), env }).providedSecrets).toEqual(["openaiApiKey"]);
  expect(faultsOf(without({}))).toMatch(
    /^vpai:anthropicApiKey or vpai:openaiApiKey: not set\n.*allowed: an API key of at least one provider/,
  );
  expect(parseSettings(without({ disabledServices: ["litellm"] })).providedSecrets).toEqual([]);
});

test("a model that LiteLLM does not know is refused by its name", () => {
  const models = [{ name: "fast", provider: "anthropic", model: "claude-sonet-4-5" }];
  expect(faultsOf(sources({ models }))).toMatch(/claude-sonet-4-5[^]*claude-sonnet-4-5[^]*do:/);
});

test("the lock is read only where the stack wants it", () => {
  expect(parseSettings(sources({}, { lock: '{"a":"b"}' })).lock).toBeUndefined();
  expect(parseSettings(sources({ imageLock: true }, { lock: '{"a":"b"}' })).lock).toEqual({ a: "b" });
});

// Every kind of bad setting, with the exact words: test/unit/ops/bad-settings.test.ts.

test("all faults come in one error", () => {
  const text = faultsOf(
    sources({ domain: "x", timezone: "nowhere", hetznerToken: "", vps: { ...hetzner, location: "mars1" }, extra: 1 }),
  );
  expect(text.match(/^\S.*?(?=: )/gm)).toEqual([
    "vpai:domain",
    "vpai:vps.location",
    "vpai:extra",
    "vpai:timezone",
    "vpai:hetznerToken",
  ]);
});

test("a type outside the table is taken with its memory", () => {
  const settings = parseSettings(sources({ vps: { ...hetzner, serverType: "cx99", memoryMb: 65536 } }));
  expect(settings.machine).toEqual({ name: "cx99", memoryMb: 65536 });
});

describe("a former name", () => {
  const names = { without: "disabledServices" };

  test("is accepted, in a stack file and as the engine gives it beside the default of the new name", () => {
    expect(parseSettings(sources({ without: ["diun"] })).disabledServices).toEqual(["diun"]);
    expect(parseSettings(sources({ without: ["diun"], disabledServices: [] })).disabledServices).toEqual(["diun"]);
    expect(decodeSettings({ without: '["diun"]' }, names)).toEqual({
      raw: { disabledServices: ["diun"] },
      faults: [],
      notices: ["vpai:without is deprecated: rename it to vpai:disabledServices"],
    });
  });

  test("together with the new name is an error", () => {
    expect(faultsOf(sources({ without: ["diun"], disabledServices: ["n8n"] }))).toBe(
      "vpai:without: set together with vpai:disabledServices, its new name\n  allowed: one of the two\n" +
        "  do: move its values to vpai:disabledServices, and `pulumi config rm vpai:without`",
    );
  });

  test("of a text setting stays text", () => {
    expect(decodeSettings({ profile: "123" }, { profile: "size" }).raw).toEqual({ size: "123" });
  });

  test("that is not used has no notice", () => {
    expect(decodeSettings({ disabledServices: ["n8n"] }).notices).toEqual([]);
  });
});

test("a bot for OpenClaw needs somebody who may talk to it: an empty list is refused with both keys", () => {
  const bot = { openclawTelegramToken: `123456789:${"a".repeat(35)}` };
  const encrypted = ["hetznerToken", "anthropicApiKey", "openclawTelegramToken"];
  const message = faultsOf(sources(bot, { encrypted }));
  expect(message).toContain("vpai:telegramAllowFrom");
  expect(message).toContain("empty, and vpai:openclawTelegramToken is set");
  expect(message).not.toContain("123456789:");
  expect(faultsOf(sources({ ...bot, telegramAllowFrom: [42] }, { encrypted }))).toBe("no fault");
  expect(faultsOf(sources({ ...bot, disabledServices: ["openclaw"] }, { encrypted }))).toBe("no fault");
  expect(faultsOf(sources({ telegramAllowFrom: [42] }))).toBe("no fault");
});

test.each(["0", "65536", "443x", ""])("VPAI_PUBLIC_PORT=%j is refused", (port) => {
  expect(faultsOf(sources({}, { env: { VPAI_PUBLIC_PORT: port } }))).toContain("VPAI_PUBLIC_PORT");
});

test("VPAI_WORK has room for SSH's control socket", () => {
  const folder = (bytes: number): string => faultsOf(sources({}, { env: { VPAI_WORK: "w".repeat(bytes) } }));
  expect(folder(75)).toBe("no fault");
  expect(folder(76)).toMatch(/^VPAI_WORK: a path of 76 bytes\n {2}allowed: at most 75, /);
});

test("VPAI_PUBLIC_PORT is the port of the links", () => {
  expect(parseSettings(sources({}, { env: { VPAI_PUBLIC_PORT: "8443" } })).publicPort).toBe(8443);
});

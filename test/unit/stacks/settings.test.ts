import { describe, expect, test } from "@jest/globals";
import { DEFAULT_MODELS } from "../../../components/llm/models.ts";
import { SERVER_TYPES } from "../../../components/vps/hetzner/server-types.ts";
import { OperatorError } from "../../../shared/errors.ts";
import { decodeSettings } from "../../../stacks/settings/decode.ts";
import { parseSettings, serviceSettings, type Sources } from "../../../stacks/settings/load.ts";

const TOKEN = "a-token-that-must-never-be-shown";
const HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0pmYCfwAvbkHWdRhEDBl0zL0ZJ8Vd2mVw7kqvx1234";
const API_KEY = "a-key-that-must-never-be-shown";
const hetzner = { provider: "hetzner", serverType: "cx33", location: "fsn1" };
const existing = { provider: "existing", address: "203.0.113.7", hostKey: HOST_KEY, memoryMb: 8192 };

/** Sources as Pulumi gives them: objects as JSON. Undefined takes a key away. */
function sources(config: Record<string, unknown>, rest: Partial<Sources> = {}): Sources {
  const all = { domain: "ai.example.com", vps: hetzner, hetznerToken: TOKEN, anthropicApiKey: API_KEY, ...config };
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
    domain: "ai.example.com",
    timezone: "Etc/UTC",
    size: "standard",
    protect: true,
    vps: { ...hetzner, serverTypeFallbacks: [], generation: 1 },
    ssh: { port: 2222, allowedCidrs: ["0.0.0.0/0", "::/0"] },
    images: {},
    imageLock: false,
    disabledServices: [],
    owner: { firstName: "Stack", lastName: "Owner" },
    models: [],
    dailyBudgetUsd: 5,
    retention: { metricsDays: 30, logsDays: 14 },
    vpnCidrs: [],
    telegramAllowFrom: [],
    providedSecrets: ["anthropicApiKey"],
    machine: { name: "cx33", memoryMb: 8192 },
  });
});

test("an existing server has its own defaults and needs no token", () => {
  const settings = parseSettings(sources({ vps: existing, hetznerToken: undefined, rootPassword: "x" }));
  expect(settings.vps).toEqual({ ...existing, port: 22, user: "root", generation: 1 });
  expect(settings.machine).toEqual({ name: "203.0.113.7", memoryMb: 8192 });
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
  expect(owner).toEqual({ email: "admin@ai.example.com", firstName: "Stack", lastName: "Owner" });
  expect([models, dailyBudgetUsd]).toEqual([DEFAULT_MODELS, 5]);
  expect(serviceSettings(parseSettings(sources({ owner: { email: "me@example.org" } }))).owner.email).toBe(
    "me@example.org",
  );
});

test("providers' keys come from the environment too; one is enough, none is a fault, unless LiteLLM is left out", () => {
  const env = { OPENAI_API_KEY: API_KEY };
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

describe("each fault names the key, the value, what is allowed, what to do", () => {
  const TYPES = Object.keys(SERVER_TYPES).join(", ");
  const cases: [string, Sources, string][] = [
    [
      "unknown key",
      sources({ domian: "secret-looking" }),
      "vpai:domian: no such setting\n  allowed: anthropicApiKey, dailyBudgetUsd, disabledServices, domain, hetznerToken, imageLock, images, models, openaiApiKey, openclawTelegramToken, owner, protect, retention, rootPassword, rootPrivateKey, size, ssh, telegramAllowFrom, timezone, vpnCidrs, vps\n" +
        "  do: correct its name, or `pulumi config rm 'vpai:domian'`",
    ],
    [
      "unknown key below vps",
      sources({ vps: { ...hetzner, servertype: "cx33" } }),
      "vpai:vps.servertype: no such setting\n  allowed: generation, location, memoryMb, provider, serverType, serverTypeFallbacks\n" +
        "  do: correct its name, or `pulumi config rm --path 'vpai:vps.servertype'`",
    ],
    [
      "wrong type",
      sources({ protect: "perhaps" }),
      "vpai:protect: perhaps\n  allowed: true or false\n  do: `pulumi config set 'vpai:protect' <value>`",
    ],
    [
      "domain missing",
      sources({ domain: undefined }),
      "vpai:domain: not set\n  allowed: a domain in lower case such as ai.example.com\n  do: `pulumi config set 'vpai:domain' <value>`",
    ],
    [
      "domain",
      sources({ domain: "AI_example" }),
      "vpai:domain: AI_example\n  allowed: a domain in lower case such as ai.example.com\n  do: `pulumi config set 'vpai:domain' <value>`",
    ],
    [
      "address",
      sources({ vps: { ...existing, address: "203.0.113.700" }, rootPassword: "x" }),
      "vpai:vps.address: 203.0.113.700\n  allowed: an IPv4 address such as 203.0.113.7\n  do: `pulumi config set --path 'vpai:vps.address' <value>`",
    ],
    [
      "port",
      sources({ ssh: { port: 70000 } }),
      "vpai:ssh.port: 70000\n  allowed: a port: a whole number from 1024 to 65535\n  do: `pulumi config set --path 'vpai:ssh.port' <value>`",
    ],
    [
      "address range",
      sources({ ssh: { allowedCidrs: ["198.51.100.0/24", "10.0.0.0/33"] } }),
      "vpai:ssh.allowedCidrs[1]: 10.0.0.0/33\n  allowed: an address range such as 198.51.100.0/24\n  do: `pulumi config set --path 'vpai:ssh.allowedCidrs[1]' <value>`",
    ],
    [
      "object that is none",
      sources({ retention: 7 }),
      "vpai:retention: 7\n  allowed: an object with logsDays, metricsDays\n  do: `pulumi config set 'vpai:retention' <value>`",
    ],
    [
      "e-mail address",
      sources({ owner: { email: "me@x" } }),
      "vpai:owner.email: me@x\n  allowed: an e-mail address\n  do: `pulumi config set --path 'vpai:owner.email' <value>`",
    ],
    [
      "server type",
      sources({ vps: { ...hetzner, serverType: "cx99" } }),
      `vpai:vps.serverType: cx99\n  allowed: ${TYPES}; another one with vpai:vps.memoryMb\n` +
        "  do: choose one of them, or `pulumi config set --path vpai:vps.memoryMb <its memory in MB>`",
    ],
    [
      "location",
      sources({ vps: { ...hetzner, location: "mars1" } }),
      "vpai:vps.location: mars1\n  allowed: fsn1, nbg1, hel1, ash, hil, sin\n  do: `pulumi config set --path 'vpai:vps.location' <value>`",
    ],
    [
      "provider",
      sources({ vps: { provider: "aws" } }),
      "vpai:vps.provider: aws\n  allowed: hetzner, existing\n  do: `pulumi config set --path 'vpai:vps.provider' <value>`",
    ],
    [
      "image without digest",
      sources({ images: { n8n: "docker.io/n8nio/n8n:latest" } }),
      "vpai:images.n8n: docker.io/n8nio/n8n:latest\n  allowed: host/repository:tag@sha256:<64 hexadecimal digits>, such as docker.io/library/redis:8.10.2-alpine@sha256:…\n" +
        "  do: `pulumi config set --path 'vpai:images.n8n' <value>`",
    ],
    [
      "time zone",
      sources({ timezone: "Mars/Olympus" }),
      "vpai:timezone: Mars/Olympus\n  allowed: a name of the IANA database such as Europe/Paris\n  do: `pulumi config set 'vpai:timezone' <value>`",
    ],
    [
      "secret missing",
      sources({ hetznerToken: "" }),
      "vpai:hetznerToken: not set\n  allowed: an API token of the Hetzner project\n  do: `pulumi config set --secret vpai:hetznerToken`, or set HCLOUD_TOKEN",
    ],
    [
      "no way to log in",
      sources({ vps: existing, hetznerToken: undefined }),
      "vpai:rootPrivateKey: not set, and vpai:rootPassword neither\n  allowed: what the first login to the server takes\n" +
        "  do: `pulumi config set --secret vpai:rootPrivateKey < <file>`, or `pulumi config set --secret vpai:rootPassword`",
    ],
    [
      "secret in plain",
      sources({}, { encrypted: ["anthropicApiKey"] }),
      "vpai:hetznerToken: in plain text\n  allowed: encrypted in the stack file\n" +
        "  do: make a new one, since this one may have been seen, and `pulumi config set --secret vpai:hetznerToken`",
    ],
    [
      "lock missing",
      sources({ imageLock: true }),
      ".vpai/prod/images.json: no such file\n  do: run `npm start`: it publishes the images in the sandbox",
    ],
  ];
  test.each(cases)("%s", (_name, given, expected) => {
    expect(faultsOf(given)).toBe(expected);
    expect(faultsOf(given)).not.toContain(TOKEN);
  });
});

test("all faults come in one error", () => {
  const text = faultsOf(
    sources({ domain: "x", timezone: "nowhere", hetznerToken: "", vps: { ...hetzner, location: "mars1" }, extra: 1 }),
  );
  expect(text.match(/^\S.*?(?=: )/gm)).toEqual(
    ["vpai:domain", "vpai:timezone", "vpai:vps.location", "vpai:extra", "vpai:hetznerToken"].map((key) => key),
  );
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
  const bot = { openclawTelegramToken: "123:a-token-that-must-never-be-shown" };
  const encrypted = ["hetznerToken", "anthropicApiKey", "openclawTelegramToken"];
  const message = faultsOf(sources(bot, { encrypted }));
  expect(message).toContain("vpai:telegramAllowFrom");
  expect(message).toContain("empty, and vpai:openclawTelegramToken is set");
  expect(message).not.toContain("123:");
  expect(faultsOf(sources({ ...bot, telegramAllowFrom: [42] }, { encrypted }))).toBe("no fault");
  expect(faultsOf(sources({ ...bot, disabledServices: ["openclaw"] }, { encrypted }))).toBe("no fault");
  expect(faultsOf(sources({ telegramAllowFrom: [42] }))).toBe("no fault");
});

test.each(["0", "65536", "443x", ""])("VPAI_PUBLIC_PORT=%j is refused", (port) => {
  expect(faultsOf(sources({}, { env: { VPAI_PUBLIC_PORT: port } }))).toContain("VPAI_PUBLIC_PORT");
});

test("VPAI_PUBLIC_PORT is the port of the links", () => {
  expect(parseSettings(sources({}, { env: { VPAI_PUBLIC_PORT: "8443" } })).publicPort).toBe(8443);
});

import { describe, expect, test } from "@jest/globals";
import { NETWORKS } from "../../../../components/host/networks.ts";
import { openclawConfig, renderOpenClawConfig } from "../../../../components/services/openclaw/config.ts";
import type { ServiceContext } from "../../../../components/service/model/context.ts";
import type { FileSpec } from "../../../../components/service/model/definition.ts";
import type { Size } from "../../../../components/service/model/facets.ts";
import type { ServiceSettings } from "../../../../components/service/model/settings.ts";
import { memoryMb } from "../../../../components/service/plan/memory.ts";
import { revealFrom, secretsUsed } from "../../../../components/service/plan/secrets.ts";
import { openclaw } from "../../../../components/services/openclaw/service.ts";
import { testContext } from "../../../support/context.ts";

const values: Readonly<Record<string, string>> = {
  "openclaw-gateway-token": "Token1",
  "openclaw-llm": "Llm1",
  "settings-openclawTelegramToken": "123:it's",
};
const having = (said: Partial<ServiceSettings>): ServiceContext => {
  const context = testContext();
  return { ...context, settings: { ...context.settings, ...said } };
};
const withTelegram = having({
  telegramAllowFrom: [42, 4242],
  providedSecrets: ["anthropicApiKey", "openaiApiKey", "openclawTelegramToken"],
});

function fileOf(path: string, context: ServiceContext): FileSpec {
  const files = typeof openclaw.files === "function" ? openclaw.files(context) : (openclaw.files ?? []);
  const file = files.find((each) => each.path === path);
  if (file === undefined) throw new Error(`no file ${path}`);
  return file;
}

function textOf(path: string, context = testContext()): string {
  return fileOf(path, context).content(context, revealFrom(values));
}

describe("openclaw.json", () => {
  test("offers only models whose provider's key is given, and none at all where there is no key", () => {
    const { models, agents } = openclawConfig(having({ providedSecrets: ["openaiApiKey"] }));
    expect(models.providers?.litellm.models.map(({ id }) => id)).toEqual(["gpt"]);
    expect(agents.defaults.model).toEqual({ primary: "litellm/gpt" });
    const none = openclawConfig(having({ providedSecrets: [] }));
    expect([none.models.providers, none.agents.defaults.model]).toEqual([undefined, undefined]);
  });

  test("has a Telegram channel where there is a bot, for those accounts alone", () => {
    expect(openclawConfig(withTelegram)).toMatchObject({
      channels: {
        telegram: {
          enabled: true,
          botToken: "${TELEGRAM_BOT_TOKEN}",
          dmPolicy: "allowlist",
          allowFrom: [42, 4242],
          groupPolicy: "disabled",
          configWrites: false,
        },
      },
      plugins: { allow: ["device-pair", "litellm", "telegram"], entries: { telegram: { enabled: true } } },
    });
    expect(renderOpenClawConfig(testContext())).not.toContain("telegram");
  });

  test("holds no secret, and no reference to one that the environment has not", () => {
    for (const context of [testContext(), withTelegram]) {
      const text = renderOpenClawConfig(context);
      expect(Object.values(values).filter((secret) => text.includes(secret))).toEqual([]);
      const referred = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
      const given = [...textOf("secrets/env", context).matchAll(/^(\w+)=/gm)].map(([, name]) => name);
      expect(referred.toSorted()).toEqual(given.toSorted());
    }
  });
});

test("its secrets are in a file that its shell reads, Telegram's where it is given", () => {
  expect(textOf("secrets/env")).toBe("OPENCLAW_GATEWAY_TOKEN='Token1'\nLITELLM_API_KEY='sk-Llm1'\n");
  expect(textOf("secrets/env", withTelegram)).toContain("TELEGRAM_BOT_TOKEN='123:it'\\''s'\n");
  const { content } = fileOf("secrets/env", testContext());
  expect(secretsUsed((reveal) => content(testContext(), reveal))).toEqual(["openclaw-gateway-token", "openclaw-llm"]);
  expect(openclaw.entrypoint).toEqual([
    "sh",
    "-c",
    'set -a && . /etc/vpai/secrets/env && set +a && exec "$@"',
    "--",
    "openclaw",
  ]);
  const environment = Object.values(openclaw.environment?.(withTelegram) ?? {}).join(" ");
  expect(Object.values(values).filter((secret) => environment.includes(secret))).toEqual([]);
});

test("P17: OpenClaw is never asked by the name of localhost", () => {
  expect(JSON.stringify([openclaw.health, openclaw.smoke, openclaw.backup])).not.toContain("localhost");
});

test("P21: OpenClaw listens on 18789, has no database, and is healthy only when its gateway has started", () => {
  expect(openclaw.port).toBe(18789);
  expect([openclaw.database, openclaw.cache, openclaw.vectors]).toEqual([undefined, undefined, undefined]);
  // Any other address answers 200 with the interface's page.
  expect(openclaw.health.test).toEqual([
    "CMD-SHELL",
    `curl -fsS --max-time 4 http://127.0.0.1:18789/startupz | grep -q '"status":"started"'`,
  ]);
  // To the edge it answers 403 there, and the route would be held for ever.
  expect(openclaw.route?.healthPath).toBe("/healthz");
});

test("P21: OpenClaw believes its proxy alone, and only from the network that the proxy is on", () => {
  const { gateway } = openclawConfig(testContext());
  expect(gateway.trustedProxies).toEqual([NETWORKS.backend.subnet]);
  expect(openclaw.networks).toEqual(["backend", "egress"]);
  expect(openclaw.route?.audience).toBe("vpn");
});

test("OpenClaw has no Docker socket, no capability, no writable file system, and no right to change its configuration", () => {
  expect(openclaw.hostMounts?.map(({ source }) => source)).toEqual(["/etc/ssl/certs/ca-certificates.crt"]);
  expect([openclaw.capabilities, openclaw.readOnly]).toEqual([undefined, undefined]);
  expect(openclaw.environment?.(testContext())).toMatchObject({
    OPENCLAW_CONFIG_READONLY: "1",
    OPENCLAW_CONFIG_PATH: "/etc/vpai/openclaw.json",
  });
  expect(openclaw.data).toEqual([{ path: "", target: "/home/node/.openclaw" }]);
});

test.each(["standard", "small"] as const)("its heap leaves room for its threads in a %s deployment", (size: Size) => {
  const { NODE_OPTIONS } = openclaw.environment?.({ ...testContext(), size }) ?? {};
  const heap = Number(/--max-old-space-size=(\d+) /.exec(NODE_OPTIONS ?? "")?.[1]);
  // It needs 220 MB of it when idle, and twice as much beside it.
  expect(heap).toBeGreaterThan(300);
  expect(memoryMb(openclaw, size).limit - heap).toBeGreaterThan(700);
});

test("OpenClaw has a budget and a key of its own, and never LiteLLM's master key", () => {
  expect(openclaw.llm).toEqual({ dailyBudgetUsd: 3 });
  expect(JSON.stringify(openclaw)).not.toContain("master");
  expect(textOf("openclaw.json") + textOf("secrets/env")).not.toMatch(/master/i);
});

test("behind another port its own origin has that port, or it would refuse its own page", () => {
  const { gateway } = openclawConfig(testContext({ publicPort: 8443 }));
  expect(gateway.publicOrigin).toBe("https://openclaw.ai.example.com:8443");
  expect(gateway.controlUi.allowedOrigins).toEqual(["https://openclaw.ai.example.com:8443"]);
});

import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { LLM_ALERTS, LLM_DASHBOARD } from "../../../../components/services/litellm/monitoring.ts";
import { DEFAULT_MODELS } from "../../../../components/llm/models.ts";
import type { ServiceContext } from "../../../../components/service/model/context.ts";
import type { FileSpec } from "../../../../components/service/model/definition.ts";
import { llmSecret } from "../../../../components/service/model/secrets.ts";
import type { ProvidedSecret } from "../../../../components/service/model/settings.ts";
import { memoryMb } from "../../../../components/service/plan/memory.ts";
import { revealFrom, secretsOfProvision, secretsUsed } from "../../../../components/service/plan/secrets.ts";
import { litellm } from "../../../../components/services/litellm/service.ts";
import { testContext } from "../../../support/context.ts";

const values: Readonly<Record<string, string>> = {
  "litellm-master-key": "Master1",
  "litellm-salt-key": "Salt1",
  "litellm-ui-password": "Ui1",
  "litellm-database": "Db1",
  "litellm-cache": "Redis1",
  "settings-anthropicApiKey": "sk-ant-it's",
  "settings-openaiApiKey": "sk-proj-1",
  "openclaw-llm": "Claw1",
};

const given = (...keys: readonly ProvidedSecret[]): ServiceContext => {
  const context = testContext();
  return { ...context, settings: { ...context.settings, providedSecrets: keys } };
};

function fileOf(path: string, context: ServiceContext): FileSpec {
  const files = typeof litellm.files === "function" ? litellm.files(context) : (litellm.files ?? []);
  const file = files.find((each) => each.path === path);
  if (file === undefined) throw new Error(`no file ${path}`);
  return file;
}

function textOf(path: string, context = testContext()): string {
  return fileOf(path, context).content(context, revealFrom(values));
}

const config = (context?: ServiceContext) => parse(textOf("config.yaml", context)) as Record<string, never>;

describe("LiteLLM's config.yaml", () => {
  test("offers only models whose provider's key is given, and falls back only to such", () => {
    expect(config(given("anthropicApiKey"))).toMatchObject({
      model_list: [{ model_name: "claude" }],
      litellm_settings: { fallbacks: [] },
    });
    expect(config(given())).toMatchObject({ model_list: [], litellm_settings: { fallbacks: [] } });
  });

  test("takes a model's name for text, whatever it looks like", () => {
    const context = testContext();
    const models = DEFAULT_MODELS.slice(0, 1).map((model) => ({ ...model, name: 'yes: "4o"', fallbacks: [] }));
    const odd = { ...context, settings: { ...context.settings, models } };
    expect(config(odd)).toMatchObject({ model_list: [{ model_name: 'yes: "4o"' }] });
  });

  test("P19: LiteLLM's fallbacks are a list of maps with one key each, and every secret is a reference", () => {
    const context = testContext();
    const all = { ...context, settings: { ...context.settings, models: DEFAULT_MODELS } };
    const { litellm_settings } = config(all) as unknown as { litellm_settings: { fallbacks: object[] } };
    expect(litellm_settings.fallbacks.map((each) => Object.keys(each))).toEqual(
      DEFAULT_MODELS.map(({ name }) => [name]),
    );
    const text = textOf("config.yaml", all);
    expect(Object.values(values).filter((secret) => text.includes(secret))).toEqual([]);
    expect(text.match(/(key|password|url): (?!os\.environ\/[A-Z_]+$).*/gm)).toBeNull();
  });

  test("P20: each model of LiteLLM has a limit of tokens", () => {
    const { model_list } = config() as unknown as { model_list: { litellm_params: object }[] };
    expect(model_list.map(({ litellm_params }) => litellm_params)).toEqual([
      expect.objectContaining({ max_tokens: 4096 }),
      expect.objectContaining({ max_tokens: 4096 }),
    ]);
  });

  test("P33: LiteLLM tells Prometheus of every request", () => {
    expect(config()).toMatchObject({ litellm_settings: { callbacks: ["prometheus"] } });
    expect(litellm.metrics).toEqual({ path: "/metrics/" });
  });
});

describe("LiteLLM's secrets", () => {
  test("are in a file that the container's user alone reads, as its shell takes them", () => {
    expect(textOf("secrets/env")).toBe(
      "LITELLM_MASTER_KEY='sk-Master1'\nLITELLM_SALT_KEY='Salt1'\n" +
        "DATABASE_URL='postgresql://litellm:Db1@postgresql:5432/litellm'\nREDIS_PASSWORD='Redis1'\nUI_PASSWORD='Ui1'\n" +
        "ANTHROPIC_API_KEY='sk-ant-it'\\''s'\nOPENAI_API_KEY='sk-proj-1'\n",
    );
    expect(fileOf("secrets/env", testContext()).mode ?? "0400").toBe("0400");
    expect(litellm.entrypoint).toEqual([
      "sh",
      "-c",
      'set -a && . /etc/vpai/secrets/env && set +a && exec "$@"',
      "--",
      "docker/prod_entrypoint.sh",
    ]);
  });

  test("are those of the providers that are given, and no others", () => {
    const context = given("openaiApiKey");
    const { content } = fileOf("secrets/env", context);
    expect(secretsUsed((reveal) => content(context, reveal))).toEqual([
      "litellm-cache",
      "litellm-database",
      "litellm-master-key",
      "litellm-salt-key",
      "litellm-ui-password",
      "settings-openaiApiKey",
    ]);
    expect(textOf("secrets/env", context)).not.toContain("ANTHROPIC");
  });

  test("are not in the environment that docker inspect shows, and the salt is never made anew", () => {
    const shown = JSON.stringify([litellm.environment?.(testContext()), litellm.command, litellm.health]);
    expect(shown).not.toMatch(/PASSWORD|DATABASE_URL|MASTER_KEY|API_KEY/);
    expect(litellm.secrets?.["litellm-salt-key"]).toEqual({ permanent: true });
  });
});

test("P18: LiteLLM is never probed on /health", () => {
  const asked = JSON.stringify([litellm.health, litellm.route, litellm.smoke, litellm.metrics, litellm.provision]);
  expect(asked).toContain("/health/readiness");
  expect(asked).not.toMatch(/\/health(?!\/readiness)/);
  expect(config()).toMatchObject({ general_settings: { background_health_checks: false } });
  expect(textOf("config.yaml")).not.toContain("health_check_interval");
});

test("P19: LiteLLM has at least 1.5 GB where it matters, and a minute and a half to start", () => {
  expect(memoryMb(litellm, "standard").limit).toBeGreaterThanOrEqual(1536);
  expect(litellm.health.startPeriodSeconds).toBeGreaterThanOrEqual(90);
  expect(litellm.health.deadlineSeconds).toBeGreaterThan(litellm.health.startPeriodSeconds);
});

test("P17: LiteLLM's health check names its address by number, and needs no program that the image has not", () => {
  expect(litellm.health.test.slice(0, 2)).toEqual(["CMD", "python3"]);
  expect(JSON.stringify(litellm.health.test)).toContain("http://127.0.0.1:4000");
});

describe("a client's key", () => {
  const llmClients = [{ service: "openclaw", secret: llmSecret("openclaw"), dailyBudgetUsd: 2 }];
  const context = testContext({ requirements: { ...testContext().requirements, llmClients } });
  const key = "sk-Claw1";
  const asked = { method: "GET", path: `/key/info?key=${createHash("sha256").update(key).digest("hex")}` };
  const headers = { authorization: "Bearer sk-Master1" };
  const budget = { max_budget: 2, budget_duration: "1d" };

  test("is made, gets the service's name from a former key, and its budget", () => {
    expect(litellm.provision?.steps(context, revealFrom(values))).toEqual([
      {
        name: "the key of openclaw",
        probe: { ...asked, headers },
        satisfiedBy: { status: 200 },
        apply: [
          {
            method: "POST",
            path: "/key/generate",
            headers,
            json: { key, models: [], ...budget },
            when: { status: 404 },
            ok: [200],
          },
        ],
      },
      {
        name: "the name of openclaw's key",
        probe: { method: "POST", path: "/key/update", headers, json: { key, key_alias: "openclaw" } },
        satisfiedBy: { status: 200 },
        apply: [
          {
            method: "POST",
            path: "/key/delete",
            headers,
            json: { key_aliases: ["openclaw"] },
            when: { status: 400 },
            ok: [200],
          },
        ],
      },
      {
        name: "the budget of openclaw",
        probe: { ...asked, headers },
        satisfiedBy: { status: 200, json: { info: { key_alias: "openclaw", models: [], ...budget } } },
        apply: [{ method: "POST", path: "/key/update", headers, json: { key, models: [], ...budget }, ok: [200] }],
      },
    ]);
    expect(secretsOfProvision(litellm, context)).toEqual(["litellm-master-key", "openclaw-llm"]);
  });

  test("is in no address that is asked", () => {
    const paths = JSON.stringify(litellm.provision?.steps(context, revealFrom(values)).map(({ probe }) => probe.path));
    expect(paths).not.toContain(key);
  });
});

test("spending is told of at 70 and 90 per cent of the day's budget", () => {
  const used = `100 * (1 - litellm_remaining_user_budget_metric{user="litellm-proxy-budget"} / litellm_user_max_budget_metric{user="litellm-proxy-budget"})`;
  expect(LLM_ALERTS.slice(0, 2).map(({ expr, severity }) => [expr, severity])).toEqual([
    [`${used} >= 70 < 90`, "warning"],
    [`${used} >= 90`, "critical"],
  ]);
});

test("every metric of dashboard and alerts is a counter by its full name, or one of the few others", () => {
  const texts = [
    ...LLM_ALERTS.map(({ expr }) => expr),
    ...LLM_DASHBOARD.panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
  ];
  const names = new Set(texts.flatMap((text) => text.match(/litellm_[a-z_]+(?=[{\[) ]|$)/g) ?? []));
  const others = [...names].filter((name) => !/_(total|bucket)$/.test(name) && name !== "litellm_model_name");
  expect(others.sort()).toEqual([
    "litellm_api_key_max_budget_metric",
    "litellm_deployment_state",
    "litellm_remaining_api_key_budget_metric",
    "litellm_remaining_user_budget_metric",
    "litellm_user_max_budget_metric",
  ]);
});

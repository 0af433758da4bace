import { images } from "../../images.ts";
import { providerVariables, renderLitellmConfig } from "./config.ts";
import { LLM_ALERTS, LLM_DASHBOARD } from "./monitoring.ts";
import { llmKeySteps } from "./provision.ts";
import type { SecretValues, ServiceDefinition } from "../../service/model/definition.ts";
import { ENV_FILE, envFile, withEnvFile } from "../../service/presets/env-file.ts";
import { HOST_TRUST, HOST_TRUST_ENVIRONMENT } from "../../service/presets/host-trust.ts";

const CONFIG = "/etc/vpai";
const HERE = "http://127.0.0.1:4000";

/** The image has Python and neither wget nor curl. */
const python = (script: string): readonly [string, string, string] => ["python3", "-c", script];
// P18: `/health` wants the master key and asks every model a question that costs money.
const READINESS = `import urllib.request as u; print(u.urlopen("${HERE}/health/readiness", timeout=4).read().decode())`;
const MODELS = `
import json, os, urllib.request as u
key = os.environ["LITELLM_MASTER_KEY"]
asked = u.Request("${HERE}/v1/models", headers={"Authorization": "Bearer " + key})
print(len(json.load(u.urlopen(asked, timeout=10))["data"]), "models")`;

const masterKey = (values: SecretValues): string => `sk-${values["litellm-master-key"] ?? ""}`;

/** One address for all models: whose turn it is, who asked, what it cost, and when it is enough for today. */
export const litellm: ServiceDefinition = {
  name: "litellm",
  image: images.litellm.pin,
  networks: ["backend", "egress"],
  port: 4000,
  user: { uid: 0, gid: 0, rootBecause: "the image's Python environment and Prisma's cache in /root belong to root" },
  entrypoint: withEnvFile(CONFIG, ["docker/prod_entrypoint.sh"]),
  command: ["--config", `${CONFIG}/config.yaml`, "--port", "4000"],
  hostMounts: [HOST_TRUST],
  configDir: CONFIG,
  files: (context) => {
    const providers = providerVariables(context);
    return [
      { path: "config.yaml", text: renderLitellmConfig },
      {
        path: ENV_FILE,
        secrets: [
          "litellm-master-key",
          "litellm-salt-key",
          "litellm-ui-password",
          "litellm-database",
          "litellm-redis",
          ...providers.map(({ secret }) => secret),
        ],
        render: (values) =>
          envFile({
            LITELLM_MASTER_KEY: masterKey(values),
            LITELLM_SALT_KEY: values["litellm-salt-key"] ?? "",
            DATABASE_URL: `postgresql://litellm:${encodeURIComponent(values["litellm-database"] ?? "")}@postgresql:5432/litellm`,
            REDIS_PASSWORD: values["litellm-redis"] ?? "",
            UI_PASSWORD: values["litellm-ui-password"] ?? "",
            ...Object.fromEntries(providers.map(({ variable, secret }) => [variable, values[secret] ?? ""])),
          }),
      },
    ];
  },
  environment: ({ domain, settings }) => ({
    ...HOST_TRUST_ENVIRONMENT,
    LITELLM_MODE: "PRODUCTION",
    UI_USERNAME: settings.owner.email,
    PROXY_BASE_URL: `https://llm.${domain}`,
    // Prices and lists as this version knows them: a start asks nobody.
    LITELLM_LOCAL_MODEL_COST_MAP: "True",
    LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS: "True",
    LITELLM_LOCAL_BLOG_POSTS: "True",
    LITELLM_LOCAL_POLICY_TEMPLATES: "True",
    // A migration that fails ends the start, instead of a proxy over half a schema.
    USE_V2_MIGRATION_RESOLVER: "true",
    ENFORCE_PRISMA_MIGRATION_CHECK: "true",
  }),
  secrets: {
    "litellm-master-key": { permanent: false },
    // What LiteLLM encrypts in its database is lost with it.
    "litellm-salt-key": { permanent: true },
    "litellm-ui-password": { permanent: false },
  },
  database: { name: "litellm" },
  // INFO is among the dangerous commands, and its client asks for the server's version first. The channels are those
  // by which its workers tell each other of changed keys.
  redis: { keys: ["litellm:*"], rules: ["+@all", "-@admin", "-@dangerous", "+info", "&litellm:*"] },
  needs: ["postgresql", "redis"],
  provision: {
    port: 4000,
    secrets: ({ facts }) => ["litellm-master-key", ...facts.llmClients.map(({ secret }) => secret)],
    steps: (values, { facts }) => llmKeySteps(facts.llmClients, masterKey(values), values),
  },
  health: {
    test: ["CMD", ...python(READINESS)],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 120,
    deadlineSeconds: 300,
  },
  readOnly: { no: "it unpacks its interface and writes Prisma's client into its own site-packages" },
  pids: 256,
  memory: { requestMb: 640, limitMb: { standard: 1536, small: 896 } },
  cpus: 1,
  stopGraceSeconds: 30,
  route: { label: "llm", audience: "vpn", readiness: "/health/readiness", deny: ["/metrics", "/metrics/*"] },
  // With its end: without, it answers with a redirection.
  metrics: { path: "/metrics/" },
  alerts: LLM_ALERTS,
  dashboards: [LLM_DASHBOARD],
  backup: {
    what: "virtual keys, budgets and what was spent; the salt key is in the program's state",
    items: [
      {
        name: "database",
        dump: ["docker", "exec", "postgresql", "pg_dump", "--username=postgres", "--format=custom", "litellm"],
        restore: [
          "docker",
          "exec",
          "-i",
          "postgresql",
          "pg_restore",
          "--username=postgres",
          "--clean",
          "--if-exists",
          "--no-owner",
          "--role=litellm",
          "--exit-on-error",
          "--dbname=litellm",
        ],
        prove: {
          argv: [
            "docker",
            "exec",
            "postgresql",
            "psql",
            "--username=postgres",
            "--dbname=litellm",
            "-At",
            "-c",
            `select count(*) || ' keys' from "LiteLLM_VerificationToken"`,
          ],
          expect: /^[1-9]\d* keys$/m,
        },
      },
    ],
  },
  smoke: [
    { name: "is ready, with its database", exec: python(READINESS), prints: /"db": ?"connected"/ },
    {
      name: "offers models to who has a key",
      exec: ["sh", "-c", `set -a && . ${CONFIG}/${ENV_FILE} && exec python3 -c '${MODELS}'`],
      prints: /^[1-9]\d* models$/m,
    },
  ],
  upgrade:
    "Back the database up first: each start migrates it, and there is no way back but the backup. 1.83.14 never got " +
    "past a migration that makes an index concurrently inside a transaction; 1.82.7 and 1.82.8 were compromised on " +
    "PyPI. Prices come with the version: compare components/llm/models.ts with its " +
    "model_prices_and_context_window.json, and the names of its metrics with components/services/litellm/monitoring.ts.",
};

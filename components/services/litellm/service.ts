import { NETWORKS } from "../../host/networks.ts";
import {
  CONFIG_DIR,
  ENV_FILE,
  envFile,
  withEnvFile,
  postgresDump,
  defineService,
  healthCheck,
} from "../../service/presets/index.ts";
import type { Reveal } from "../../service/model/facets.ts";
import { cacheSecret, databaseSecret, llmKey, serviceSecrets } from "../../service/model/secrets.ts";
import { publicOrigin } from "../../service/model/public-origin.ts";
import { images } from "../../images.ts";
import { providerVariables, renderLitellmConfig } from "./config.ts";
import { LLM_ALERTS, LLM_DASHBOARD } from "./monitoring.ts";
import { llmKeySteps } from "./provision.ts";

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

const secrets = serviceSecrets("litellm", {
  "master-key": { permanent: false },
  // What LiteLLM encrypts in its database is lost with it.
  "salt-key": { permanent: true },
  "ui-password": { permanent: false },
});

const masterKey = (reveal: Reveal): string => llmKey(reveal(secrets.ref["master-key"]));

/** LLM gateway: one address for all models, with fallbacks, per-client keys, spend and daily budgets. */
export const litellm = defineService({
  name: "litellm",
  image: images.litellm,
  networks: ["backend", "egress"],
  port: 4000,
  user: { uid: 0, gid: 0, rootReason: "the image's Python environment and Prisma's cache in /root belong to root" },
  entrypoint: withEnvFile(CONFIG_DIR, ["docker/prod_entrypoint.sh"]),
  command: ["--config", `${CONFIG_DIR}/config.yaml`, "--port", "4000"],
  trustHostCa: true,
  files: [
    { path: "config.yaml", content: renderLitellmConfig },
    {
      path: ENV_FILE,
      content: (context, reveal) =>
        envFile({
          LITELLM_MASTER_KEY: masterKey(reveal),
          LITELLM_SALT_KEY: reveal(secrets.ref["salt-key"]),
          DATABASE_URL: `postgresql://litellm:${encodeURIComponent(reveal(databaseSecret("litellm")))}@postgresql:5432/litellm`,
          REDIS_PASSWORD: reveal(cacheSecret("litellm")),
          UI_PASSWORD: reveal(secrets.ref["ui-password"]),
          ...Object.fromEntries(providerVariables(context).map(({ variable, secret }) => [variable, reveal(secret)])),
        }),
    },
  ],
  environment: (context) => ({
    LITELLM_MODE: "PRODUCTION",
    UI_USERNAME: context.settings.owner.email,
    // The edge says that a request came over TLS; unless it is believed, LiteLLM redirects /ui to http.
    FORWARDED_ALLOW_IPS: NETWORKS.backend.subnet,
    PROXY_BASE_URL: publicOrigin(context, "llm"),
    // Prices and lists as this version knows them: a start makes no request.
    LITELLM_LOCAL_MODEL_COST_MAP: "True",
    LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS: "True",
    LITELLM_LOCAL_BLOG_POSTS: "True",
    LITELLM_LOCAL_POLICY_TEMPLATES: "True",
    // Minutes. After a start the gauges of budgets, which alerts are about, are empty for that long; otherwise it is 5.
    PROMETHEUS_BUDGET_METRICS_REFRESH_INTERVAL_MINUTES: "1",
    // A migration that fails ends the start, instead of a proxy over half a schema.
    USE_V2_MIGRATION_RESOLVER: "true",
    ENFORCE_PRISMA_MIGRATION_CHECK: "true",
  }),
  secrets: secrets.specs,
  provides: "llm",
  database: { name: "litellm" },
  // INFO is among the dangerous commands, and its client asks for the server's version first. The channels are those
  // by which its workers announce changed keys.
  cache: { keys: ["litellm:*"], rules: ["+@all", "-@admin", "-@dangerous", "+info", "&litellm:*"] },
  provision: {
    port: 4000,
    steps: ({ requirements }, reveal) => llmKeySteps(requirements.llmClients, masterKey(reveal), reveal),
  },
  health: healthCheck(["CMD", ...python(READINESS)], { startPeriodSeconds: 240, deadlineSeconds: 480 }),
  readOnly: { exemptReason: "it unpacks its interface and writes Prisma's client into its own site-packages" },
  // /tmp is on the writable root: LiteLLM unpacks programs there.
  tmpfs: {},
  memory: { requestMb: 640, limitMb: { standard: 1536, small: 896 } },
  route: { subdomain: "llm", audience: "vpn", healthPath: "/health/readiness", denyPaths: ["/metrics", "/metrics/*"] },
  // With its end: without, it answers with a redirection.
  metrics: { path: "/metrics/" },
  alerts: LLM_ALERTS,
  dashboards: [LLM_DASHBOARD],
  backup: {
    scope: "virtual keys, budgets and spend; the salt key is in the program's state",
    items: [
      postgresDump("litellm", {
        verify: `select count(*) || ' keys' from "LiteLLM_VerificationToken"`,
        expect: /^[1-9]\d* keys$/m,
        role: "litellm",
        stop: "litellm",
      }),
    ],
  },
  login: ({ settings }, reveal) => ({
    user: settings.owner.email,
    password: reveal(secrets.ref["ui-password"]),
    key: masterKey(reveal),
  }),
  smoke: [
    { name: "is ready, with its database", exec: python(READINESS), prints: /"db": ?"connected"/ },
    {
      name: "lists models for an authenticated client",
      exec: ["sh", "-c", `set -a && . ${CONFIG_DIR}/${ENV_FILE} && exec python3 -c '${MODELS}'`],
      prints: /^[1-9]\d* models$/m,
    },
  ],
  upgrade:
    "Back the database up first: each start migrates it, and there is no way back but the backup. 1.83.14 never got " +
    "past a migration that makes an index concurrently inside a transaction; 1.82.7 and 1.82.8 were compromised on " +
    "PyPI. Prices come with the version: compare components/llm/models.ts with its " +
    "model_prices_and_context_window.json, and the names of its metrics with components/services/litellm/monitoring.ts.",
});

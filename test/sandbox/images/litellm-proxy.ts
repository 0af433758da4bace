import { stringify } from "yaml";
import { ensureCa } from "../../../sandbox/network/ca.ts";
import { FaultBook } from "../../../sandbox/control/fault-injector.ts";
import { startFront } from "../../../sandbox/network/tls-terminator.ts";
import { newLlmKeys, openLlm } from "../../../sandbox/llm/llm.ts";
import { type Bench, docker, openBench, pins, untilExec, untilExecWithin } from "./container-harness.ts";

const pin = `ghcr.io/berriai/litellm:v1.102.1@sha256:${"0".repeat(64)}`;
const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "0:0", "--memory", "1536m"];
const READY = `import urllib.request as u; print(u.urlopen("http://127.0.0.1:4000/health/readiness", timeout=4).read().decode())`;
export const MASTER = "sk-Master0123456789";
export const UI_PASSWORD = "Ui0123456789";
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

export const model = (name: string, provider: string, its: string) => ({
  model_name: name,
  litellm_params: {
    model: `${provider}/${its}`,
    api_key: `os.environ/${provider.toUpperCase()}_API_KEY`,
    max_tokens: 64,
  },
});

export const config = {
  model_list: [
    model("claude", "anthropic", "claude-haiku-4-5"),
    model("gpt", "openai", "gpt-5.6-terra"),
    model("mini", "openai", "gpt-4o-mini"),
  ],
  litellm_settings: {
    drop_params: true,
    num_retries: 2,
    request_timeout: 30,
    fallbacks: [{ claude: ["gpt"] }],
    max_budget: 0.01,
    budget_duration: "1d",
    timezone: "Europe/Paris",
    callbacks: ["prometheus"],
    prometheus_initialize_budget_metrics: true,
    require_auth_for_metrics_endpoint: false,
    cache: true,
    cache_params: {
      type: "redis",
      host: "redis",
      port: 6379,
      username: "litellm",
      password: "os.environ/REDIS_PASSWORD",
      namespace: "litellm",
      ttl: 60,
    },
  },
  general_settings: {
    master_key: "os.environ/LITELLM_MASTER_KEY",
    database_url: "os.environ/DATABASE_URL",
    database_connection_pool_limit: 5,
    store_model_in_db: false,
    background_health_checks: false,
  },
};

const env = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).flatMap(([name, value]) => ["-e", `${name}=${value}`]);

/** The proxy with PostgreSQL and Redis behind it, and the simulated providers under their real names. */
export async function openProxy() {
  const bench = await openBench([pin, pins.postgres, pins.redis]);
  // Without a caller that has it, it is cleared here.
  return proxyOn(bench).catch(async (error: unknown) => {
    await bench.clear();
    throw error;
  });
}

async function proxyOn(bench: Bench) {
  const db = await bench.start("db", pins.postgres, env({ POSTGRES_PASSWORD: "super" }));
  const rules = "resetchannels ~litellm:* +@all -@admin -@dangerous +info &litellm:*";
  const acl = await bench.file("users.acl", `user default off\nuser litellm on >redis-secret ${rules}\n`, 999);
  await bench.start("redis", pins.redis, ["-v", `${acl}:/acl:ro`], ["redis-server", "--aclfile", "/acl"]);
  await untilExec(db, "pg_isready", "-h", "127.0.0.1");
  for (const sql of ["CREATE ROLE litellm LOGIN PASSWORD 'db-secret'", "CREATE DATABASE litellm OWNER litellm"]) {
    await bench.exec(db, "psql", "-qU", "postgres", "-c", sql);
  }

  const [keys, faults, asked] = [newLlmKeys(), new FaultBook(), [] as string[]];
  const ca = await ensureCa(bench.home);
  const host = await docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", db);
  const llm = await openLlm({ keys, faults, log: (line) => asked.push(line) });
  const front = await startFront({ host, ca, sites: llm.sites });
  const closeProviders = async () => {
    await front.close();
    await llm.close();
  };
  const options = [
    ...locked,
    "-v",
    `${ca.certFile}:${BUNDLE}:ro`,
    ...env({ SSL_CERT_FILE: BUNDLE }),
    "--add-host",
    `api.anthropic.com:${host}`,
    "--add-host",
    `api.openai.com:${host}`,
  ];
  const variables = {
    LITELLM_MASTER_KEY: MASTER,
    LITELLM_SALT_KEY: "sk-Salt0123456789",
    UI_USERNAME: "admin@example.org",
    UI_PASSWORD,
    LITELLM_LOCAL_MODEL_COST_MAP: "True",
    PROMETHEUS_BUDGET_METRICS_REFRESH_INTERVAL_MINUTES: "1",
    USE_V2_MIGRATION_RESOLVER: "true",
    ENFORCE_PRISMA_MIGRATION_CHECK: "true",
    REDIS_PASSWORD: "redis-secret",
    ANTHROPIC_API_KEY: keys.anthropicKey,
    OPENAI_API_KEY: keys.openaiKey,
    DATABASE_URL: "postgresql://litellm:db-secret@db:5432/litellm",
  };
  const file = await bench.file("config.yaml", stringify(config));
  const more = [...options, "-v", `${file}:/etc/vpai/config.yaml:ro`, ...env(variables)];
  const command = ["--config", "/etc/vpai/config.yaml", "--port", "4000"];
  const container = await bench.start("litellm", pin, more, command);
  const ready = () => untilExecWithin(300_000, container, "python3", "-c", READY);
  await ready().catch(async (error: unknown) => {
    await closeProviders();
    throw error;
  });
  const address = async () => `http://${await bench.address(container)}:4000`;
  let url = await address();

  const ask = async (path: string, json?: unknown, key = MASTER) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const sent = json === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(json) };
    const response = await fetch(`${url}${path}`, sent);
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text, headers: response.headers };
  };
  return {
    container,
    db,
    faults,
    asked,
    ask,
    chat: (its: string, content: string, key = MASTER, options: object = {}) =>
      ask("/v1/chat/completions", { model: its, messages: [{ role: "user", content }], ...options }, key),
    /** Lines of its metrics that begin so. */
    metric: async (start: string): Promise<string[]> =>
      String((await ask("/metrics/", undefined, "")).body)
        .split("\n")
        .filter((line) => line.startsWith(start)),
    psql: (sql: string) => bench.exec(db, "psql", "-U", "postgres", "-d", "litellm", "-Atc", sql),
    /** Stops and starts it; waits until it is ready. */
    restart: async () => {
      await docker("restart", container);
      url = await address();
      await ready();
    },
    /** Runs another with variables changed; answers how it ended. */
    start: (its: Readonly<Record<string, string>>) =>
      bench.once(pin, [...more, ...env({ ...variables, ...its })], command),
    close: async () => {
      await closeProviders();
      await bench.clear();
    },
  };
}

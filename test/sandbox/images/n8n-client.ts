import { until } from "../../support/until.ts";
import { type Bench, openBench, pins, untilExec } from "./container-harness.ts";

export const key = "0123456789abcdef0123456789abcdef";
export const owner = {
  email: "Owner@example.test",
  firstName: "Ada",
  lastName: "Lovelace",
  password: "Correct horse 1",
};

export const env = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
const database = {
  DB_TYPE: "postgresdb",
  DB_POSTGRESDB_HOST: "db",
  DB_POSTGRESDB_USER: "postgres",
  DB_POSTGRESDB_DATABASE: "n8n",
};
export const base = { ...database, DB_POSTGRESDB_PASSWORD: "db-secret", N8N_ENCRYPTION_KEY: key };

export interface N8n {
  readonly bench: Bench;
  readonly container: string;
  readonly url: string;
  ask(
    path: string,
    json?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: unknown; cookie: string | null }>;
}

/** n8n locked down as a deployment runs it, over a PostgreSQL of its own. */
export async function openN8n(): Promise<N8n> {
  const bench = await openBench([pins.n8n, pins.postgres]);
  // Nobody gets it then, so nobody clears it.
  return n8nOn(bench).catch(async (error: unknown) => {
    await bench.clear();
    throw error;
  });
}

async function n8nOn(bench: Bench): Promise<N8n> {
  const started = bench.start("db", pins.postgres, env({ POSTGRES_PASSWORD: "db-secret", POSTGRES_DB: "n8n" }));
  await untilExec(await started, "pg_isready", "-h", "127.0.0.1");
  const files = [await bench.file("db", "db-secret\n", 1000), await bench.file("key", `${key}\n`, 1000)];
  const container = await bench.start("n8n", pins.n8n, [
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
    "--read-only",
    "--user",
    "1000:1000",
    "-v",
    `${files[0]}:/run/db:ro`,
    "-v",
    `${files[1]}:/run/key:ro`,
    "--tmpfs",
    "/home/node/.n8n:uid=1000",
    ...env({
      ...database,
      DB_POSTGRESDB_PASSWORD_FILE: "/run/db",
      N8N_ENCRYPTION_KEY_FILE: "/run/key",
      N8N_METRICS: "true",
      N8N_METRICS_INCLUDE_MESSAGE_EVENT_BUS_METRICS: "true",
      N8N_METRICS_INCLUDE_WORKFLOW_STATISTICS: "true",
      WEBHOOK_URL: "https://n8n.example.test/",
      N8N_HOST: "n8n.example.test",
      N8N_PROTOCOL: "https",
      N8N_PROXY_HOPS: "1",
      N8N_RUNNERS_MODE: "internal",
      EXECUTIONS_DATA_PRUNE: "true",
      EXECUTIONS_DATA_MAX_AGE: "168",
      TZ: "Europe/Paris",
    }),
  ]);
  await untilExec(container, "wget", "-qO-", "http://127.0.0.1:5678/healthz/readiness");
  const url = `http://${await bench.address(container)}:5678`;
  return {
    bench,
    container,
    url,
    async ask(path, json, headers = {}) {
      const sent = { "content-type": "application/json", ...headers };
      const response = await fetch(
        `${url}${path}`,
        json === undefined ? { headers } : { method: "POST", headers: sent, body: JSON.stringify(json) },
      );
      const text = await response.text();
      const isJson = (response.headers.get("content-type") ?? "").includes("json");
      const body = isJson ? (JSON.parse(text) as unknown) : text;
      return { status: response.status, body, cookie: response.headers.get("set-cookie") };
    },
  };
}

interface Answered {
  readonly status: number;
  readonly body: string;
  readonly cookie?: string;
}

/** A question to n8n; with a body it is a POST. */
export type AskN8n = (path: string, json?: unknown, headers?: Record<string, string>) => Promise<Answered>;

const node = (name: string, type: string, typeVersion: number, parameters: object) => ({
  id: name.toLowerCase(),
  name,
  type: `n8n-nodes-base.${type}`,
  typeVersion,
  position: [0, 0],
  parameters,
});

/** A workflow that answers its webhook with something of its own and something that it was sent. */
export const echoWorkflow = (path: string) => ({
  name: `Echo ${path}`,
  nodes: [
    {
      ...node("Webhook", "webhook", 2, { httpMethod: "POST", path, responseMode: "lastNode", options: {} }),
      webhookId: "0b7c5c1e-5d3a-4b43-9d8c-2f1d6f0f8a11",
    },
    node("Set", "set", 3.4, {
      assignments: {
        assignments: [
          { id: "1", name: "said", value: "hello from a workflow", type: "string" },
          { id: "2", name: "heard", value: "={{ $json.body.word }}", type: "string" },
        ],
      },
      options: {},
    }),
  ],
  connections: { Webhook: { main: [[{ node: "Set", type: "main", index: 0 }]] } },
  settings: {},
});

/** The header of who has logged in. */
export async function loggedIn(ask: AskN8n, email: string, password: string): Promise<Record<string, string>> {
  const { status, body, cookie } = await ask("/rest/login", { emailOrLdapLoginId: email, password });
  if (status !== 200 || cookie === undefined) throw new Error(`n8n does not let ${email} in: ${status} ${body}`);
  return { cookie: cookie.split(";")[0] ?? "" };
}

/** Stores a workflow and lets it run: a version of it, by its number, as n8n 2 does. Answers its id. */
export async function activated(ask: AskN8n, headers: Record<string, string>, workflow: object): Promise<string> {
  const made = await ask("/rest/workflows", workflow, headers);
  if (made.status !== 200) throw new Error(`not stored: ${made.status} ${made.body}`);
  const { data } = JSON.parse(made.body) as { data: { id: string; versionId: string } };
  const active = await ask(`/rest/workflows/${data.id}/activate`, { versionId: data.versionId }, headers);
  if (active.status !== 200) throw new Error(`not activated: ${active.status} ${active.body}`);
  return data.id;
}

/** Calls a webhook. n8n registers it a moment after its workflow is active. */
export const called = (ask: AskN8n, path: string, json: unknown): Promise<Answered> =>
  until(`the webhook ${path}`, 30_000, async () => {
    const answered = await ask(`/webhook/${path}`, json);
    return answered.status === 404 ? undefined : answered;
  });

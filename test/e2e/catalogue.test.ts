import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { ISOLATED } from "../../components/host/networks.ts";
import { planConnections, portsOf } from "../../components/service/plan/connections.ts";
import { DEFAULT_SERVICES as catalogue } from "../support/core.ts";
import { asLines, tryConnections } from "../support/connections.ts";
import { ask } from "../support/https.ts";
import { ConvergedServer } from "../support/converged.ts";
import type { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { upgrade } from "../support/websocket.ts";
import { runWorkflow } from "../support/workflow.ts";

// The whole catalogue in one sandbox. Each service is asked to do its job, not only whether it is up.

const [MINUTE, DOMAIN] = [60_000, "vpai.localhost"];
const names = catalogue.map(({ name }) => name).toSorted();
let server: ConvergedServer;
let stack: SandboxStack;
let port: number;
let secrets: Record<string, string>;

beforeAll(async () => {
  server = await ConvergedServer.open();
  ({ stack } = server);
  ({ port } = await stack.world());
  secrets = await stack.secrets();
}, 30 * MINUTE);

beforeEach(() => server.reset(), 5 * MINUTE);

afterAll(() => server.closeUnchanged());

const secret = (name: string): string => secrets[name] ?? `no secret is called ${name}`;
const json = <T>(text: string): T => JSON.parse(text) as T;

test("every service of the catalogue is healthy", async () => {
  expect(Object.keys(await stack.containers()).toSorted()).toEqual(names);
  expect(await stack.healthy()).toEqual(names);
});

test(
  "from every container: who can connect to whom is what is declared, and nobody listens where nothing is",
  async () => {
    const ports = [...new Set(catalogue.flatMap(portsOf))];
    const { connections, listening } = await tryConnections(stack, ports);
    expect(asLines(connections)).toEqual(asLines(planConnections(catalogue, ISOLATED)));
    expect(listening).toEqual(
      Object.fromEntries(catalogue.map((definition) => [definition.name, portsOf(definition)])),
    );
  },
  3 * MINUTE,
);

test(
  "n8n has its owner, stores a workflow, runs it when its webhook is called, and remembers that",
  async () => {
    const owner = { port, host: `n8n.${DOMAIN}`, email: `admin@${DOMAIN}`, password: secret("n8n-owner-password") };
    const { answered, executions } = await runWorkflow(owner, "hello from a workflow");
    expect({ status: answered.status, body: answered.body }).toEqual({
      status: 200,
      body: expect.stringContaining("hello from a workflow"),
    });
    expect(executions.status).toBe(200);
    const stored = await stack.onServer(
      `docker exec postgresql psql -U postgres -d n8n -Atc "select count(*) from workflow_entity"`,
    );
    expect(Number(stored)).toBeGreaterThan(0);
  },
  MINUTE,
);

const llm = (key: string, path: string, body?: unknown, method = body === undefined ? "GET" : "POST") =>
  stack.inside("litellm", 4000, path, { method, headers: { authorization: `Bearer ${key}` }, json: body });
const master = (): string => `sk-${secret("litellm-master-key")}`;
/** Another one each time: an answer from the cache costs nothing. */
let questions = 0;
const question = () => ({ messages: [{ role: "user", content: `Say hello, ${(questions += 1)}` }] });

test(
  "LiteLLM answers through a provider, with the spend on the key of the service that asked",
  async () => {
    const key = `sk-${secret("n8n-llm")}`;
    const { data } = json<{ data: { id: string }[] }>((await llm(key, "/v1/models")).body);
    expect(data.length).toBeGreaterThan(1);
    for (const { id } of data) {
      const { status, body } = await llm(key, "/v1/chat/completions", { model: id, ...question() });
      expect({ id, status }).toEqual({ id, status: 200 });
      expect(json<{ choices: { message: { content: string } }[] }>(body).choices[0]?.message.content).toMatch(/\w/);
    }
    const spend = await until("spend on the key", MINUTE, async () => {
      const info = json<{ info: { spend: number; key_alias: string } }>(
        (await llm(master(), `/key/info?key=${key}`)).body,
      );
      return info.info.spend > 0 ? info.info : undefined;
    });
    expect(spend.key_alias).toBe("n8n");
  },
  2 * MINUTE,
);

test(
  "a budget holds: a key that has spent its own is refused, the others are not",
  async () => {
    const made = await llm(master(), "/key/generate", { max_budget: 0.0000001, budget_duration: "1d" });
    const { key } = json<{ key: string }>(made.body);
    const { data } = json<{ data: { id: string }[] }>((await llm(key, "/v1/models")).body);
    const ask1 = () => llm(key, "/v1/chat/completions", { model: data[0]?.id, ...question() });
    expect((await ask1()).status).toBe(200);
    const refused = await until("the budget's refusal", MINUTE, async () => {
      const answer = await ask1();
      return answer.status === 200 ? undefined : answer;
    });
    expect(refused.body).toMatch(/budget/i);
    const other = await llm(`sk-${secret("openclaw-llm")}`, "/v1/chat/completions", {
      model: data[0]?.id,
      ...question(),
    });
    expect(other.status).toBe(200);
  },
  2 * MINUTE,
);

test("no service knows LiteLLM's master key but LiteLLM", async () => {
  for (const name of names.filter((each) => each !== "litellm")) {
    const found = await stack.onServer(`grep -rlF '${secret("litellm-master-key")}' /opt/vpai/config/${name} || true`);
    expect({ name, found }).toEqual({ name, found: "" });
  }
});

test("Qdrant has the collections that services need, finds a vector, and refuses who has no key", async () => {
  const headers = { "api-key": secret("qdrant-api-key") };
  const vector = Array.from({ length: 1536 }, (_, i) => (i === 7 ? 1 : 0));
  const points = [{ id: 1, vector, payload: { text: "the seventh" } }];
  const put = await stack.inside("qdrant", 6333, "/collections/documents/points?wait=true", {
    method: "PUT",
    headers,
    json: { points },
  });
  expect(put.status).toBe(200);
  const search = { method: "POST", json: { vector, limit: 1, with_payload: true } };
  const found = await stack.inside("qdrant", 6333, "/collections/documents/points/search", { ...search, headers });
  expect(json<{ result: { payload: object }[] }>(found.body).result[0]?.payload).toEqual({ text: "the seventh" });
  const refused = await stack.inside("qdrant", 6333, "/collections/documents/points/search", search);
  expect([401, 403]).toContain(refused.status);
  const reader = { "api-key": secret("qdrant-read-key") };
  const write = await stack.inside("qdrant", 6333, "/collections/documents", { method: "DELETE", headers: reader });
  expect(write.status).toBe(403);
});

test(
  "a line that a container writes is found in Loki by the container's label",
  async () => {
    const mark = `a mark of ${Date.now()}`;
    // The first process is the init that hands its output to Docker.
    await stack.onServer(`docker exec redis sh -c 'echo "${mark}" > /proc/1/fd/1'`);
    const query = encodeURIComponent(`{container="redis"} |= "${mark}"`);
    const line = await until("the line in Loki", MINUTE, async () => {
      const { body } = await stack.inside("loki", 3100, `/loki/api/v1/query_range?query=${query}&limit=5`);
      return json<{ data: { result: { values: [string, string][] }[] } }>(body).data.result[0]?.values[0]?.[1];
    });
    expect(line).toContain(mark);
  },
  2 * MINUTE,
);

test("OpenClaw answers a WebSocket's upgrade through the edge", async () => {
  expect(await upgrade({ port, host: `openclaw.${DOMAIN}`, path: "/" })).toBe(101);
});

test("Grafana knows its administrator, its datasources and every dashboard; metrics are not shown at the edge", async () => {
  const host = `grafana.${DOMAIN}`;
  const authorization = `Basic ${Buffer.from(`admin:${secret("grafana-admin-password")}`).toString("base64")}`;
  const get = (path: string, headers: Record<string, string> = { authorization }) => ask({ port, host, path, headers });
  expect((await get("/api/search", { authorization: "Basic YWRtaW46YWRtaW4=" })).status).toBe(401);
  const found = json<{ uid: string }[]>((await get("/api/search?type=dash-db")).body).map(({ uid }) => uid);
  expect(found.toSorted()).toEqual(catalogue.flatMap(({ dashboards }) => dashboards.map(({ uid }) => uid)).toSorted());
  const through = await get("/api/datasources/proxy/uid/victoriametrics/api/v1/query?query=up");
  expect(json<{ data: { result: unknown[] } }>(through.body).data.result.length).toBeGreaterThan(3);
  expect((await get("/metrics")).status).toBe(404);
});

test(
  "every endpoint that is declared is scraped, and answers",
  async () => {
    const expected = catalogue.flatMap(({ name, metrics }) => ("reason" in metrics ? [] : [`${name} 1`])).toSorted();
    const seen = async (): Promise<string[]> =>
      ((await stack.results("metrics", "up")) as { metric: { job: string }; value: [number, string] }[])
        .map(({ metric, value }) => `${metric.job} ${value[1]}`)
        .toSorted();
    await until("every endpoint up", 2 * MINUTE, async () => {
      const now = await seen();
      if (JSON.stringify(now) !== JSON.stringify(expected)) throw new Error(`seen: ${now.join(", ")}`);
      return true;
    });
    expect(await seen()).toEqual(expected);
  },
  3 * MINUTE,
);

test(
  "every panel of every dashboard has data, unless it says that it may have none",
  async () => {
    const all = catalogue.flatMap(({ dashboards }) =>
      dashboards.flatMap(({ title, panels }) =>
        panels.flatMap((panel) => panel.queries.map(({ expr }) => ({ at: `${title} / ${panel.title}`, panel, expr }))),
      ),
    );
    expect(all.length).toBeGreaterThan(40);
    let empty = all;
    await until("data in every panel", 3 * MINUTE, async () => {
      // A rate needs somebody who asks after the first scrape.
      await llm(`sk-${secret("n8n-llm")}`, "/v1/chat/completions", { model: "claude-sonnet", ...question() });
      const still: typeof all = [];
      for (const each of empty) {
        const found = await stack.results(each.panel.datasource, each.expr);
        if (found.length === 0 && each.panel.mayBeEmpty === undefined) still.push(each);
      }
      empty = still;
      if (empty.length > 0) throw new Error(empty.map(({ at, expr }) => `${at}: ${expr}`).join("\n"));
      return true;
    });
  },
  5 * MINUTE,
);

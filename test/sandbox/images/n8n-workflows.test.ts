import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Bench } from "./container-harness.ts";
import { activated, type AskN8n, called, echoWorkflow, loggedIn, type N8n, openN8n, owner } from "./n8n-client.ts";

let bench: Bench;
let url: string;
let container: string;
let ask: N8n["ask"];

beforeAll(async () => {
  ({ bench, url, container, ask } = await openN8n());
  await ask("/rest/owner/setup", owner);
  await ask("/rest/login", { emailOrLdapLoginId: owner.email, password: "Wrong 12345" });
}, 300_000);
afterAll(() => bench.clear());

const asking: AskN8n = async (path, json, headers) => {
  const { status, body, cookie } = await ask(path, json, headers);
  return { status, body: JSON.stringify(body), ...(cookie !== null && { cookie }) };
};
const login = () => loggedIn(asking, owner.email, owner.password);

test("stores a workflow, runs it when its webhook is called, and remembers that", async () => {
  expect(await ask("/rest/workflows")).toMatchObject({ status: 401, body: { message: "Unauthorized" } });
  expect(await ask("/webhook/echo", {})).toMatchObject({
    status: 404,
    body: { message: 'The requested webhook "POST echo" is not registered.', hint: expect.any(String) },
  });
  const headers = await login();
  const id = await activated(asking, headers, echoWorkflow("echo"));
  expect(await called(asking, "echo", { word: "and back" })).toMatchObject({
    status: 200,
    body: '{"heard":"and back","said":"hello from a workflow"}',
  });
  expect(await ask(`/rest/workflows/${id}`, undefined, headers)).toMatchObject({
    body: { data: { id, name: "Echo echo", active: true, nodes: [{ name: "Webhook" }, { name: "Set" }] } },
  });
  const { body } = await ask("/rest/executions", undefined, headers);
  expect(body).toMatchObject({ data: { count: 1, results: [{ id: "1", workflowId: id, status: "success" }] } });
  expect(await ask("/rest/executions/1", undefined, headers)).toMatchObject({
    body: { data: { finished: true, data: expect.stringContaining("and back") } },
  });
  const counted = "select count(*) || ' ' || min(status) from execution_entity";
  const db = container.replace(/n8n$/, "db");
  expect(await bench.exec(db, "psql", "-U", "postgres", "-d", "n8n", "-Atc", counted)).toBe("1 success");
});

test("runs what was activated, not what was edited since; and refuses a webhook's second workflow", async () => {
  const headers = await login();
  const { data } = (await ask("/rest/workflows", undefined, headers)).body as { data: { id: string }[] };
  const edited = { ...echoWorkflow("echo"), name: "Edited", active: false, nodes: echoWorkflow("moved").nodes };
  const sent = { method: "PATCH", headers: { ...headers, "content-type": "application/json" } };
  await fetch(`${url}/rest/workflows/${data[0]?.id}`, { ...sent, body: JSON.stringify(edited) });
  expect((await ask("/webhook/echo", { word: "still" })).body).toMatchObject({ heard: "still" });
  expect((await ask("/webhook/moved", {})).status).toBe(404);
  await expect(activated(asking, headers, echoWorkflow("echo"))).rejects.toThrow(
    '409 {"code":409,"message":"There is a conflict with one of the webhooks."}',
  );
  await ask(`/rest/workflows/${data[0]?.id}/deactivate`, {}, headers);
  expect((await ask("/webhook/echo", {})).status).toBe(404);
});

test("answers a webhook as its node says, and keeps what failed", async () => {
  const headers = await login();
  const [webhook] = echoWorkflow("x").nodes;
  const flow = async (path: string, responseMode: string, type: string, parameters: object) => {
    const nodes = [
      { ...webhook, parameters: { httpMethod: "POST", path, responseMode } },
      { name: "Next", type: `n8n-nodes-base.${type}`, parameters },
    ];
    const connections = { Webhook: { main: [[{ node: "Next", type: "main", index: 0 }]] } };
    await activated(asking, headers, { name: path, nodes, connections });
    const { status, body } = await called(asking, path, { q: 5 });
    return [status, JSON.parse(body)];
  };
  expect(await flow("at-once", "onReceived", "noOp", {})).toEqual([200, { message: "Workflow was started" }]);
  expect(
    await flow("by-node", "responseNode", "respondToWebhook", {
      respondWith: "json",
      responseBody: "={{ $json.body }}",
      options: { responseCode: 201 },
    }),
  ).toEqual([201, { q: 5 }]);
  expect(await flow("broken", "lastNode", "stopAndError", { errorMessage: "on purpose" })).toEqual([
    500,
    { message: "Error in workflow" },
  ]);
  const failed = encodeURIComponent('{"status":["error"]}');
  expect((await ask(`/rest/executions?filter=${failed}`, undefined, headers)).body).toMatchObject({
    data: { count: 1, results: [{ workflowName: "broken", finished: false }] },
  });
  await expect(flow("code", "lastNode", "code", { jsCode: "return []" })).rejects.toThrow(
    "Unrecognized node type: n8n-nodes-base.code (this fake of n8n runs a few only)",
  );
  await expect(
    flow("now", "lastNode", "set", { assignments: { assignments: [{ name: "a", value: "={{ $now }}" }] } }),
  ).rejects.toThrow("Next: this fake of n8n evaluates {{ $json.a.b }} alone, not {{ $now }}");
});

test("emits metrics under n8n's names", async () => {
  const { body } = await ask("/metrics");
  expect(body).toContain('n8n_version_info{version="v2.42.4",major="2",minor="42",patch="4"} 1\n');
  for (const line of [
    "active_workflow_count 3",
    "workflows 7",
    "production_executions 5",
    "users 1",
    "credentials 0",
    "workflow_started_total 5",
    "workflow_success_total 4",
    "workflow_failed_total 1",
    "audit_user_login_failed_total 1",
    "audit_workflow_activated_total 4",
    "node_finished_total 9",
    'workflow_execution_duration_seconds_count{status="failed",mode="webhook"} 1',
    'workflow_execution_duration_seconds_bucket{le="600",status="success",mode="webhook"} 4',
  ]) {
    expect(body).toContain(`\nn8n_${line}\n`);
  }
  expect(body).toMatch(/^n8n_process_resident_memory_bytes [1-9]/m);
  expect(body).toMatch(/^n8n_nodejs_eventloop_lag_p99_seconds [0-9]/m);
});

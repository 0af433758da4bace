import { ask, type Answer } from "./https.ts";
import { until } from "./until.ts";

export interface Owner {
  /** Of the edge on this machine. */
  readonly port: number;
  readonly host: string;
  readonly email: string;
  readonly password: string;
}

/** A webhook, and a node that sets a text: what is answered is the text. */
const workflow = (path: string, text: string) => ({
  name: `Test ${path}`,
  nodes: [
    {
      id: "a",
      name: "Webhook",
      type: "n8n-nodes-base.webhook",
      typeVersion: 2,
      position: [0, 0],
      parameters: { httpMethod: "POST", path, responseMode: "lastNode" },
      webhookId: path,
    },
    {
      id: "b",
      name: "Say",
      type: "n8n-nodes-base.set",
      typeVersion: 3.4,
      position: [200, 0],
      parameters: { assignments: { assignments: [{ id: "1", name: "said", value: text, type: "string" }] } },
    },
  ],
  connections: { Webhook: { main: [[{ node: "Say", type: "main", index: 0 }]] } },
  settings: { executionOrder: "v1" },
  active: false,
});

/** The owner logs in, stores a workflow and turns it on; then somebody calls its webhook. */
export async function runWorkflow(owner: Owner, text: string): Promise<{ answered: Answer; executions: Answer }> {
  const { port, host } = owner;
  const to = { port, host };
  const credentials = { emailOrLdapLoginId: owner.email, password: owner.password };
  const login = await ask({ ...to, path: "/rest/login", method: "POST", json: credentials });
  if (login.status !== 200) throw new Error(`login: ${login.status} ${login.body}`);
  const cookie = [login.headers["set-cookie"]]
    .flat()
    .map((each) => String(each).split(";")[0])
    .join("; ");
  const say = async (path: string, json?: unknown): Promise<Answer> => {
    const method = json === undefined ? "GET" : "POST";
    const answer = await ask({ ...to, path, method, headers: { cookie }, ...(json !== undefined && { json }) });
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer;
  };
  const path = `test-${Date.now()}`;
  const made = JSON.parse((await say("/rest/workflows", workflow(path, text))).body) as {
    data: { id: string; versionId: string };
  };
  await say(`/rest/workflows/${made.data.id}/activate`, { versionId: made.data.versionId });
  const answered = await until(`the webhook ${path}`, 30_000, async () => {
    const answer = await ask({ ...to, path: `/webhook/${path}`, method: "POST", json: { asked: true } });
    return answer.status === 404 ? undefined : answer;
  });
  const filter = encodeURIComponent(JSON.stringify({ workflowId: made.data.id }));
  const executions = await until("the execution", 30_000, async () => {
    const found = await say(`/rest/executions?filter=${filter}`);
    return found.body.includes('"success"') ? found : undefined;
  });
  return { answered, executions };
}

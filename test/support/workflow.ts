import { ask, type Answer } from "./https.ts";
import { until } from "./until.ts";

export interface Owner {
  /** Of the edge on this machine. */
  readonly port: number;
  readonly host: string;
  readonly email: string;
  readonly password: string;
}

type Method = "GET" | "POST";

/** A webhook, and a node that sets a text: what is answered is the text. */
const workflow = (method: Method, path: string, text: string) => ({
  name: `Test ${path}`,
  nodes: [
    {
      id: "a",
      name: "Webhook",
      type: "n8n-nodes-base.webhook",
      typeVersion: 2,
      position: [0, 0],
      parameters: { httpMethod: method, path, responseMode: "lastNode" },
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

export interface ActiveWorkflow {
  readonly id: string;
  /** Of its webhook. */
  readonly path: string;
  /** What the webhook answered first. */
  readonly answered: Answer;
  /** Asks n8n as its owner; fails unless it answers 200. */
  readonly asOwner: (path: string, json?: unknown) => Promise<Answer>;
}

/** The owner logs in, stores a workflow and turns it on; then its webhook is called once. */
export async function activateWorkflow(owner: Owner, method: Method, text: string): Promise<ActiveWorkflow> {
  const { port, host } = owner;
  const to = { port, host };
  const credentials = { emailOrLdapLoginId: owner.email, password: owner.password };
  const login = await ask({ ...to, path: "/rest/login", method: "POST", json: credentials });
  if (login.status !== 200) throw new Error(`login: ${login.status} ${login.body}`);
  const cookie = [login.headers["set-cookie"]]
    .flat()
    .map((each) => String(each).split(";")[0])
    .join("; ");
  const asOwner = async (path: string, json?: unknown): Promise<Answer> => {
    const verb = json === undefined ? "GET" : "POST";
    const answer = await ask({ ...to, path, method: verb, headers: { cookie }, ...(json !== undefined && { json }) });
    if (answer.status !== 200) throw new Error(`${verb} ${path}: ${answer.status} ${answer.body}`);
    return answer;
  };
  const name = `test-${Date.now()}`;
  const made = JSON.parse((await asOwner("/rest/workflows", workflow(method, name, text))).body) as {
    data: { id: string; versionId: string };
  };
  await asOwner(`/rest/workflows/${made.data.id}/activate`, { versionId: made.data.versionId });
  const path = `/webhook/${name}`;
  const answered = await until(`the webhook ${path}`, 30_000, async () => {
    const answer = await ask({ ...to, path, method, ...(method === "POST" && { json: { asked: true } }) });
    return answer.status === 404 ? undefined : answer;
  });
  return { id: made.data.id, path, answered, asOwner };
}

/** Runs a workflow by its webhook; answers what it answered and what n8n remembers of it. */
export async function runWorkflow(owner: Owner, text: string): Promise<{ answered: Answer; executions: Answer }> {
  const { id, answered, asOwner } = await activateWorkflow(owner, "POST", text);
  const filter = encodeURIComponent(JSON.stringify({ workflowId: id }));
  const executions = await until("the execution", 30_000, async () => {
    const found = await asOwner(`/rest/executions?filter=${filter}`);
    return found.body.includes('"success"') ? found : undefined;
  });
  return { answered, executions };
}

import { until } from "./until.ts";

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

/** A workflow that answers its webhook by code of its own with something of its own and something that it was sent. */
export const echoWorkflow = (path: string) => ({
  name: `Echo ${path}`,
  nodes: [
    {
      ...node("Webhook", "webhook", 2, { httpMethod: "POST", path, responseMode: "lastNode", options: {} }),
      webhookId: "0b7c5c1e-5d3a-4b43-9d8c-2f1d6f0f8a11",
    },
    node("Code", "code", 2, {
      jsCode: 'return [{ json: { said: "hello from a workflow", heard: $input.first().json.body.word } }];',
    }),
  ],
  connections: { Webhook: { main: [[{ node: "Code", type: "main", index: 0 }]] } },
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

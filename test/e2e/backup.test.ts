import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { run } from "../../shared/exec.ts";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer } from "../support/converged.ts";
import { ask } from "../support/https.ts";
import { expectRefusal } from "../support/refusals.ts";
import type { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { activateWorkflow, type ActiveWorkflow } from "../support/workflow.ts";

// What services hold is saved in a bucket of Ceph RGW, destroyed, and comes back.

const MINUTE = 60_000;
const STACK = ["--stack", "sandbox"];
const N8N = "n8n.vpai.localhost";
/** The one that searches find: it is no service's. */
const VECTOR = Array.from({ length: 1536 }, (_, i) => (i === 5 ? 1 : 0));
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;
let port: number;
let secrets: Record<string, string>;
let workflow: ActiveWorkflow;
let key: string;

const vpai = (...args: readonly string[]): Promise<string> => checkout.expectVpai([...args, ...STACK]);
const restore = (service: string): Promise<string> => vpai("restore", "--service", service, "--yes");
const sql = (database: string, query: string): Promise<string> =>
  stack.onServer(`docker exec postgresql psql -U postgres -d ${database} -Atc '${query}'`);
const qdrant = (method: "PUT" | "POST" | "DELETE", path: string, json?: unknown) =>
  stack.inside("qdrant", 6333, path, {
    method,
    headers: { "api-key": secrets["qdrant-api-key"] ?? "" },
    ...(json !== undefined && { json }),
  });
const webhook = async (): Promise<number> => (await ask({ port, host: N8N, path: workflow.path })).status;
const found = async (): Promise<string> =>
  (await qdrant("POST", "/collections/documents/points/search", { vector: VECTOR, limit: 1, with_payload: true })).body;
const litellm = async (): Promise<number> =>
  (await stack.inside("litellm", 4000, "/v1/models", { headers: { authorization: `Bearer ${key}` } })).status;

beforeAll(async () => {
  server = await ConvergedServer.open();
  ({ checkout, stack } = server);
  await checkout.edit("Pulumi.sandbox.yaml", (text) =>
    text.replace(
      "\n  vpai:size:",
      "\n  vpai:backup: { endpoint: https://fsn1.your-objectstorage.com, bucket: vpai-test }\n  vpai:size:",
    ),
  );
  await checkout.expectVpai(["start"]);
  ({ port } = await stack.world());
  secrets = await stack.secrets();
  const owner = { port, host: N8N, email: "admin@vpai.localhost", password: secrets["n8n-owner-password"] ?? "" };
  workflow = await activateWorkflow(owner, "GET", "still here");
  await qdrant("PUT", "/collections/documents/points?wait=true", {
    points: [{ id: 5, vector: VECTOR, payload: { text: "the fifth" } }],
  });
  const made = await stack.inside("litellm", 4000, "/key/generate", {
    method: "POST",
    headers: { authorization: `Bearer sk-${secrets["litellm-master-key"] ?? ""}` },
    json: { key_alias: "of this test" },
  });
  ({ key } = JSON.parse(made.body) as { key: string });
}, 30 * MINUTE);

afterAll(() => server.close());

test(
  "every item of every service is saved, as the timer does it too; the list and the metrics say so",
  async () => {
    const output = await vpai("backup");
    expect(output).toMatch(/✓ n8n\/database [^]*\d+ items saved/);
    const list = JSON.parse(await vpai("backups", "--json")) as {
      items: { path: string; error: string | null }[];
      snapshots: { path: string }[];
    };
    expect(list.items.filter(({ error }) => error !== null)).toEqual([]);
    expect(list.snapshots.map(({ path }) => path).toSorted()).toEqual(list.items.map(({ path }) => path).toSorted());
    await stack.onServer("systemctl start vpai-backup.service");
    expect(await vpai("backups")).toMatch(/n8n\/database +\d+ s ago .* 2 .* saved/);
    const text = await stack.inside("node-exporter", 9100, "/metrics");
    expect(text.body).toContain('vpai_backup_failed{item="n8n/database"} 0');
    expect(await stack.onServer("systemctl is-enabled vpai-backup.timer vpai-backup-upkeep.timer")).toBe(
      "enabled\nenabled",
    );
  },
  5 * MINUTE,
);

test(
  "n8n's database is lost, and comes back: its webhook runs again",
  async () => {
    await sql("n8n", "drop schema public cascade; create schema public");
    await until("n8n without its database", MINUTE, async () => ((await webhook()) === 200 ? undefined : true));
    expect(await restore("n8n")).toMatch(/n8n is restored, and proved[^]*smoke tests/);
    expect(await until("the webhook", MINUTE, async () => ((await webhook()) === 200 ? 200 : undefined))).toBe(200);
  },
  5 * MINUTE,
);

test(
  "LiteLLM's keys and Qdrant's points are deleted, and come back",
  async () => {
    await sql("litellm", 'delete from "LiteLLM_VerificationToken"');
    await qdrant("DELETE", "/collections/documents");
    expect(await found()).not.toContain("the fifth");
    await restore("litellm");
    await restore("qdrant");
    expect(await found()).toContain("the fifth");
    await until("LiteLLM takes the key", MINUTE, async () => ((await litellm()) === 200 ? true : undefined));
  },
  6 * MINUTE,
);

test(
  "Grafana, OpenClaw and Caddy are put back over themselves, and nothing has drifted",
  async () => {
    for (const service of ["grafana", "openclaw", "caddy"]) await restore(service);
    expect(await vpai("drift")).toContain("no drift");
  },
  6 * MINUTE,
);

test(
  "the recovery kit is opened by stock age, and holds what opens the backups; it is not written over",
  async () => {
    const [identity, kit] = [join(checkout.dir, ".vpai/age.key"), join(checkout.dir, ".vpai/kit.age")];
    const { output } = await checkout.run("age-keygen", ["-o", identity]);
    const [recipient = ""] = /age1\w+/.exec(output) ?? [];
    const make = ["recovery-kit", ...STACK, "--recipient", recipient, "--out", kit];
    await checkout.expectVpai(make);
    const opened = await run("age", ["-d", "-i", identity, kit]);
    const { backups, permanentSecrets, state } = JSON.parse(opened.stdout) as Record<string, Record<string, unknown>>;
    expect(backups).toEqual({
      repository: "s3:https://fsn1.your-objectstorage.com/vpai-test/sandbox",
      password: secrets["backup-password"],
    });
    expect(permanentSecrets).toMatchObject({ "n8n-encryption-key": secrets["n8n-encryption-key"] });
    expect(Object.keys(state ?? {})).toContain("deployment");
    expectRefusal(await checkout.vpai(make), ["which exists", "do:"]);
  },
  2 * MINUTE,
);

test(
  "what cannot be restored is refused with what there is, and touches nothing",
  async () => {
    const before = await stack.containers();
    const refused = (...args: readonly string[]) => checkout.vpai(["restore", ...args, ...STACK]);
    expectRefusal(await refused("--service", "redis", "--yes"), ["service redis: nothing of it is saved", "allowed"]);
    expectRefusal(await refused("--service", "n8n", "--at", "2020-01-01T00:00Z", "--yes"), [
      "before the first copy",
      "do:",
    ]);
    expectRefusal(await refused("--service", "postgresql", "--yes"), ["its copies are for a person to read", "do:"]);
    expectRefusal(await refused("--service", "n8n"), ["stdin is not a terminal", "--yes"]);
    expect(await stack.containers()).toEqual(before);
  },
  2 * MINUTE,
);

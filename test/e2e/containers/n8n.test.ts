import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { ServiceContext } from "../../../components/service/model/context.ts";
import { revealFrom } from "../../../components/service/plan/secrets.ts";
import { n8n } from "../../../components/services/n8n/service.ts";
import { testContext } from "../../support/context.ts";
import { until } from "../../support/until.ts";
import { type Bench, docker, logs, openBench, pins, untilExec } from "../../sandbox/images/container-harness.ts";
import { activated, type AskN8n, called, echoWorkflow, loggedIn } from "../../support/n8n-client.ts";
import { dockerRunArgs, startAsDefined, untilHealthy } from "./docker-run-args.ts";
import { hereAs, onHost, provision } from "./on-host.ts";

// n8n locked down as its definition says, over a PostgreSQL with its role and its database.

const MINUTES = 60_000;
const secrets = {
  "n8n-database": "Database-password-of-this-test",
  "n8n-encryption-key": "Key-of-this-test-0123456789",
  "n8n-owner-password": "Owner-password-of-this-test-1",
};
const context = testContext();
const items = "items" in n8n.backup ? n8n.backup.items : [];
/** Loads everything that n8n lists, and tells what does not. */
const LOAD_ALL = `
const { join } = require("node:path");
let loaded = 0;
for (const name of ["n8n-nodes-base", "@n8n/n8n-nodes-langchain"])
  for (const kind of ["nodes", "credentials"]) {
    const root = join("/opt/n8n/node_modules", name);
    for (const [type, { sourcePath }] of Object.entries(require(join(root, "dist/known", kind + ".json"))))
      try { require(join(root, sourcePath)); loaded += 1; }
      catch (error) { process.exitCode = 1; console.log(type + ": " + error.message.split("\\n")[0]); }
  }
console.log(loaded + " loaded");
`;
let bench: Bench;
let container: string;
let db: string;

beforeAll(async () => {
  bench = await openBench([n8n.image.pin, pins.postgres]);
  db = await bench.start("postgresql", pins.postgres, ["-e", "POSTGRES_PASSWORD=superuser"]);
  await untilExec(db, "pg_isready", "-h", "127.0.0.1");
  for (const sql of [`CREATE ROLE n8n LOGIN PASSWORD '${secrets["n8n-database"]}'`, "CREATE DATABASE n8n OWNER n8n"]) {
    await bench.exec(db, "psql", "-qU", "postgres", "-c", sql);
  }
  container = await startAsDefined(bench, n8n, { context, secrets });
}, 10 * MINUTES);
afterAll(() => bench.clear(), 120_000);

const ask: AskN8n = async (path, json, headers = {}) => {
  const sent = { method: "POST", headers: { ...headers, "content-type": "application/json" } };
  const response = await fetch(
    `http://${await bench.address(container)}:5678${path}`,
    json === undefined ? { headers } : { ...sent, body: JSON.stringify(json) },
  );
  const cookie = response.headers.get("set-cookie");
  return { status: response.status, body: await response.text(), ...(cookie !== null && { cookie }) };
};
const own = (values: Readonly<Record<string, string>> = secrets, its: ServiceContext = context): Promise<string> =>
  provision(container, 5678, n8n.provision?.steps(its, revealFrom(values)) ?? []);
const here = (argv: Parameters<ReturnType<typeof hereAs>>[0]): string[] =>
  hereAs({
    "/opt/vpai/data/n8n": join(bench.home, "n8n/opt/vpai/data/n8n"),
    "stop n8n": `stop ${container}`,
    "start n8n": `start ${container}`,
    postgresql: db,
  })(argv);

test("P29: its owner is made once, through its API, and nobody else can be afterwards", async () => {
  expect(JSON.parse(await own())).toEqual({ changed: [expect.stringContaining("owner owner@example.com")] });
  expect(await own()).toBe('{"changed": []}');
  const somebody = { email: "else@example.com", firstName: "Some", lastName: "Body", password: "Password-of-theirs-1" };
  expect(await ask("/rest/owner/setup", somebody)).toMatchObject({
    status: 400,
    body: expect.stringContaining("Instance owner already setup"),
  });
});

test("an owner with another password, or somebody else, is told with what to do, and without a password", async () => {
  const { owner } = context.settings;
  const others = { ...context, settings: { ...context.settings, owner: { ...owner, email: "else@example.com" } } };
  for (const [values, its] of [
    [{ ...secrets, "n8n-owner-password": "Another-password-1" }, context],
    [secrets, others],
  ] as const) {
    const refused = await own(values, its).then(String, (error: Error) => error.message);
    expect(refused).toContain("Instance owner already setup");
    expect(refused).toContain("docker exec n8n n8n user-management:reset");
    expect(refused).not.toContain(values["n8n-owner-password"]);
  }
});

test("each variable of its environment is one that this n8n reads", async () => {
  const names = Object.keys(n8n.environment?.(context) ?? {})
    .filter((name) => /^(N8N|DB|EXECUTIONS|WEBHOOK|GENERIC|NODE_FUNCTION)_/.test(name))
    .map((name) => name.replace(/_FILE$/, ""));
  const looked = "/opt/n8n/node_modules/@n8n/*/dist /opt/n8n/node_modules/n8n/dist";
  const script = `for name in ${names.join(" ")}; do grep -rqwF -- "$name" ${looked} || echo "$name"; done`;
  expect(await bench.exec(container, "sh", "-c", script)).toBe("");
});

test(
  "each of its nodes and credentials loads: nothing that they need was left out of the image",
  async () => {
    const script = await bench.file("load.cjs", LOAD_ALL, 1000);
    const { code, output } = await bench.once(
      n8n.image.pin,
      ["-v", `${script}:/load.cjs:ro`, "--entrypoint", "node"],
      ["/load.cjs"],
    );
    expect({ code, output: output.trim() }).toEqual({ code: 0, output: expect.stringMatching(/^\d{3,} loaded$/) });
  },
  5 * MINUTES,
);

test("its smoke checks print what they should", async () => {
  for (const check of n8n.smoke) {
    if ("exec" in check) expect(await bench.exec(container, ...check.exec)).toMatch(check.prints);
  }
});

test(
  "it stores a workflow, runs it, counts it; a copy brings both back",
  async () => {
    const headers = await loggedIn(ask, context.settings.owner.email, secrets["n8n-owner-password"]);
    await activated(ask, headers, echoWorkflow("echo"));
    const said = { status: 200, body: expect.stringContaining('"said":"hello from a workflow"') };
    expect(await called(ask, "echo", { word: "one" })).toMatchObject(said);
    const counted = await until("the count", MINUTES, async () => {
      const { body } = await ask("/metrics");
      return /^n8n_workflow_success_total 1$/m.test(body) ? body : undefined;
    });
    for (const metric of ["n8n_workflows ", "n8n_active_workflow_count ", "n8n_production_executions ", "n8n_users "]) {
      expect(counted).toContain(`\n${metric}`);
    }
    expect((await ask("/rest/executions", undefined, headers)).body).toMatch(/"status": ?"success"/);

    const [database, files] = items;
    const copy = await onHost(here(database?.dump));
    const kept = await onHost(here(files?.dump));
    expect(kept.toString("latin1")).not.toContain(secrets["n8n-encryption-key"]);
    await bench.exec(
      db,
      "psql",
      "-qU",
      "postgres",
      "-d",
      "n8n",
      "-c",
      "delete from webhook_entity; delete from settings",
    );
    await onHost(here(database?.restore), copy);
    await untilHealthy(container, n8n);
    expect(await called(ask, "echo", { word: "two" })).toMatchObject(said);
    expect(await own()).toBe('{"changed": []}');
    await onHost(here(files?.restore), kept);
    for (const { verify } of items) expect(String(await onHost(here(verify.argv)))).toMatch(verify.expect);
  },
  5 * MINUTES,
);

test(
  "a copy that is none changes nothing, and n8n is back",
  async () => {
    await expect(onHost(here(items[0]?.restore), "no archive")).rejects.toThrow("pg_restore");
    await untilHealthy(container, n8n);
    expect(await own()).toBe('{"changed": []}');
  },
  3 * MINUTES,
);

test(
  "with another encryption key it ends, and its log says why",
  async () => {
    await docker("stop", container);
    const changed = { ...secrets, "n8n-encryption-key": "Another-key-0123456789" };
    const { options, command } = await dockerRunArgs(bench, n8n, { context, secrets: changed });
    const { code, output } = await bench.once(n8n.image.pin, options, command);
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining("Mismatching encryption keys.") });
    // What the gate shows of a container that restarts again and again.
    expect(output.trim().split("\n").slice(-20).join("\n")).toContain("Mismatching encryption keys.");
    await dockerRunArgs(bench, n8n, { context, secrets });
    await docker("start", container);
    await untilHealthy(container, n8n);
    expect(await logs(container)).not.toContain(secrets["n8n-database"]);
  },
  3 * MINUTES,
);

test(
  "with its files lost it starts over its database, as long as the key is the same",
  async () => {
    await docker("stop", container);
    await rm(join(bench.home, "n8n/opt/vpai/data/n8n/config"));
    await docker("start", container);
    await untilHealthy(container, n8n);
    expect(await own()).toBe('{"changed": []}');
  },
  3 * MINUTES,
);

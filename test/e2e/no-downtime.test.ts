import { Agent } from "node:https";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Answer, type Ask, ask } from "../support/https.ts";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer } from "../support/converged.ts";
import { ALL } from "../support/core.ts";
import { steadyRequests } from "../support/load.ts";
import type { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { activateWorkflow } from "../support/workflow.ts";

// The whole catalogue from one command, and its containers replaced while requests are answered. Each test leaves a
// converged server, and needs no more: going back to the snapshot would take longer than the test.

const MINUTE = 60_000;
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;

beforeAll(async () => {
  server = await ConvergedServer.open();
  ({ checkout, stack } = server);
}, 30 * MINUTE);

afterAll(() => server.close());

const n8n = { host: "n8n.vpai.localhost" };
/** Logs in at n8n as its owner; answers the status. */
async function login(password?: string): Promise<number> {
  const { port } = await stack.world();
  const known = password ?? (await stack.secrets())["n8n-owner-password"] ?? "";
  const json = { emailOrLdapLoginId: "admin@vpai.localhost", password: known };
  return (await ask({ port, ...n8n, path: "/rest/login", method: "POST", json })).status;
}

test(
  "one command makes a server, bootstraps it and converges the stack on it, and says where to go next",
  async () => {
    const { output } = server.first;
    const { port } = await stack.world();
    expect(output).toContain(`https://n8n.vpai.localhost:${port}/`);
    expect(output).toContain("./vpai output --stack sandbox");
    expect(Object.keys(await stack.containers()).toSorted()).toEqual(ALL);
    expect(await stack.healthy()).toEqual(ALL);
    expect((await stack.hetzner("servers")).map(({ name }) => name)).toEqual(["vpai-sandbox"]);
  },
  30 * MINUTE,
);

test("the services answer through the edge, each with a database and a role of its own", async () => {
  const { port } = await stack.world();
  expect(await ask({ port, host: "vpai.localhost", path: "/health" })).toMatchObject({ status: 200, body: "ok" });
  expect((await ask({ port, host: "vpai.localhost", path: "/elsewhere" })).status).toBe(404);
  expect((await ask({ port, ...n8n, path: "/healthz/readiness" })).status).toBe(200);
  const another = { email: "else@example.com", firstName: "Else", lastName: "Else", password: "Correct-Horse-7" };
  // Its owner is there already: nobody who comes by can become it.
  expect((await ask({ port, ...n8n, path: "/rest/owner/setup", method: "POST", json: another })).status).toBe(400);
  expect(await login()).toBe(200);
  expect(await login("Wrong-Horse-77")).toBe(401);
  const roles = await stack.onServer(
    `docker exec postgresql psql -U postgres -Atc "select rolname, rolsuper, rolcreatedb from pg_roles where rolname in ('n8n')"`,
  );
  expect(roles).toBe("n8n|f|f");
  expect(
    await stack.onServer(
      `docker exec postgresql psql -U postgres -Atc "select pg_get_userbyid(datdba) from pg_database where datname='n8n'"`,
    ),
  ).toBe("n8n");
});

const answered = ({ status }: Answer): boolean => status === 200;

/**
 * Calls a second of which this machine answers three times as many at once: what waits while a container is replaced has
 * to be worked off while new calls arrive, or the queue grows for as long as it is measured.
 */
async function answerable(to: Ask): Promise<number> {
  const longestWait = async (perSecond: number): Promise<number> => {
    const load = steadyRequests(to, perSecond, answered, perSecond * 2);
    await load.firstAnswers(perSecond * 2);
    const { failures, longestMs } = await load.stop();
    expect(failures).toEqual([]);
    return longestMs;
  };
  // The first calls after a start take longer than any later one.
  await until("6 calls a second, answered within 1.5 s each", 3 * MINUTE, async () => {
    const longestMs = await longestWait(6);
    if (longestMs > 1_500) throw new Error(`the longest took ${longestMs} ms`);
    return true;
  });
  for (const rate of [5, 10, 20]) if ((await longestWait(rate * 3)) > 1_500) return rate / 2;
  return 20;
}

/** Calls a webhook of n8n up to 20 times a second during `change`: every call is answered, and runs its workflow once. */
async function underWebhooks(change: () => Promise<unknown>): Promise<void> {
  const { port } = await stack.world();
  const password = (await stack.secrets())["n8n-owner-password"] ?? "";
  const { id, path } = await activateWorkflow(
    { port, ...n8n, email: "admin@vpai.localhost", password },
    "GET",
    "counted",
  );
  const executions = async (): Promise<number> =>
    Number(
      await stack.onServer(
        `docker exec postgresql psql -U postgres -d n8n -Atc "select count(*) from execution_entity where \\"workflowId\\" = '${id}'"`,
      ),
    );
  const rate = await answerable({ port, ...n8n, path });
  const executed = await executions();
  const load = steadyRequests({ port, ...n8n, path }, rate, answered);
  await load.firstAnswers(20);
  try {
    await change();
  } catch (error) {
    await load.stop();
    throw error;
  }
  const { sent, failures, longestMs } = await load.stop();
  process.stdout.write(`requests during the change: ${sent}, ${rate} a second; longest wait ${longestMs} ms\n`);
  expect(failures).toEqual([]);
  expect((await executions()) - executed).toBe(sent);
}

test(
  "the edge itself is replaced under 50 requests a second, on new connections and on kept ones: all are answered",
  async () => {
    const { port } = await stack.world();
    const before = await stack.containers();
    const kept = new Agent({ keepAlive: true, maxSockets: 8 });
    const loads = [
      steadyRequests({ port, host: "vpai.localhost", path: "/health" }, 20, answered),
      steadyRequests({ port, host: "vpai.localhost", path: "/health", agent: kept }, 20, answered),
      steadyRequests({ port, ...n8n, path: "/healthz/readiness" }, 10, answered),
    ];
    await Promise.all(loads.map((load) => load.firstAnswers(20)));
    const replace = ["--replace", "**::caddy-container"];
    await checkout.expectVpai(["up", "--stack", "sandbox", "--skip-inspect", "--", ...replace]);
    const results = await Promise.all(loads.map((load) => load.stop()));
    kept.destroy();
    const [sent, longest] = [results.map((each) => each.sent), results.map((each) => each.longestMs)];
    process.stdout.write(
      `requests during the edge's replacement: ${sent.join(", ")}; longest waits ${longest.join(", ")} ms\n`,
    );
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    const after = await stack.containers();
    expect(ALL.filter((name) => after[name] !== before[name])).toEqual(["caddy"]);
  },
  5 * MINUTE,
);

test(
  "another n8n image replaces one container, and then every other service but the edge is replaced, the database too: up to 20 webhook calls a second are all answered, and each runs its workflow once",
  async () => {
    const before = await stack.containers();
    await checkout.edit("components/images.ts", (text) =>
      text.replace(
        /pin: "docker\.io\/n8nio\/n8n:.*"/,
        `pin: "docker.io/n8nio/n8n:2.40.7@sha256:ffeb52485f78b1b06c9a832205853cf75da72a07a514c9a27724df85979d6c34"`,
      ),
    );
    // Where the image has never been built, that would take both processors for a minute.
    await checkout.expectVpai(["sandbox", "up"]);
    const others = ALL.filter((name) => name !== "caddy" && name !== "n8n");
    const replaced = others.flatMap((name) => ["--replace", `**::${name}-container`]);
    await underWebhooks(async () => {
      await checkout.expectVpai(["start"]);
      const after = await stack.containers();
      expect(ALL.filter((name) => after[name] !== before[name])).toEqual(["n8n"]);
      await checkout.expectVpai(["up", "--stack", "sandbox", "--skip-inspect", "--", ...replaced]);
    });
    const after = await stack.containers();
    expect(ALL.filter((name) => after[name] !== before[name])).toEqual(ALL.filter((name) => name !== "caddy"));
    expect(await login()).toBe(200);
  },
  10 * MINUTE,
);

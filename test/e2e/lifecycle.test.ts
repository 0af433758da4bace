import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { ask } from "../support/https.ts";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer } from "../support/converged.ts";
import { ALL } from "../support/core.ts";
import { steadyRequests } from "../support/load.ts";
import type { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

// What an owner does with a stack that is up. Each test starts from the converged server.

const MINUTE = 60_000;
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;

beforeAll(async () => {
  server = await ConvergedServer.open();
  ({ checkout, stack } = server);
}, 30 * MINUTE);

beforeEach(() => server.reset(), 5 * MINUTE);

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
    expect(output).toContain("--show-secrets");
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

test(
  "a second `up` changes nothing and makes no SSH connection, so no Docker call either",
  async () => {
    await stack.closeSharedConnection();
    const connections = await stack.sshConnections();
    expect(connections).toBeGreaterThan(0);
    const before = await stack.containers();
    const output = await stack.pulumi(["up", "--yes", "--non-interactive", "--stack", "sandbox"]);
    expect(output).toMatch(/Resources:\n\s+\d+ unchanged\n/);
    expect(await stack.sshConnections()).toBe(connections);
    expect(await stack.containers()).toEqual(before);
    expect(await checkout.expectVpai(["start"])).toContain("Stack is up to date");
    expect(await stack.sshConnections()).toBe(connections);
  },
  3 * MINUTE,
);

test(
  "preview and refresh are plain engine commands that find nothing to do",
  async () => {
    const flags = ["--non-interactive", "--stack", "sandbox"];
    expect(await stack.pulumi(["preview", "--expect-no-changes", ...flags])).toMatch(/unchanged/);
    expect(await stack.pulumi(["refresh", "--yes", "--skip-preview", "--expect-no-changes", ...flags])).toMatch(
      /unchanged/,
    );
    expect(await stack.pulumi(["preview", "--expect-no-changes", ...flags])).toMatch(/unchanged/);
  },
  3 * MINUTE,
);

test(
  "another n8n image, in its one file, replaces one container while 20 requests a second are all answered",
  async () => {
    const before = await stack.containers();
    await checkout.edit("components/images.ts", (text) =>
      text.replace(
        /pin: "docker\.io\/n8nio\/n8n:.*"/,
        `pin: "docker.io/n8nio/n8n:2.40.7@sha256:ffeb52485f78b1b06c9a832205853cf75da72a07a514c9a27724df85979d6c34"`,
      ),
    );
    const { port } = await stack.world();
    const load = steadyRequests({ port, ...n8n, path: "/rest/login" }, 20, (answer) => answer.status === 401);
    await load.firstAnswers(20);
    await checkout.expectVpai(["start"]);
    const { sent, failures, longestMs } = await load.stop();
    process.stdout.write(`requests during the change: ${sent}, longest wait ${longestMs} ms\n`);
    expect(failures).toEqual([]);
    const after = await stack.containers();
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(["n8n"]);
    expect(await login()).toBe(200);
  },
  4 * MINUTE,
);

test(
  "a container that was stopped by hand is found and started again by `up --refresh`",
  async () => {
    await stack.onServer("docker stop -t 5 redis");
    await checkout.expectVpai(["up", "--stack", "sandbox", "--", "--refresh"]);
    expect(await stack.onServer("docker inspect -f '{{.State.Running}}' redis")).toBe("true");
  },
  3 * MINUTE,
);

test(
  "the power of the server is cut and comes back: all services answer again, without us",
  async () => {
    await checkout.expectVpai(["sandbox", "power-cut", "vpai-sandbox"]);
    const { HCLOUD_ENDPOINT: endpoint, HCLOUD_TOKEN: token } = await stack.env();
    const [server] = await stack.hetzner("servers");
    const on = await fetch(`${endpoint}/servers/${server?.id}/actions/poweron`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
    expect(on.status).toBe(201);
    const { port } = await stack.world();
    await until("n8n after the power cut", 2 * MINUTE, async () => {
      const { status } = await ask({ port, ...n8n, path: "/healthz/readiness", timeoutMs: 5_000 });
      if (status !== 200) throw new Error(`status ${status}`);
      return true;
    });
  },
  4 * MINUTE,
);

test(
  "another encryption key under the same data is refused by its name, and no container is touched",
  async () => {
    const before = await stack.containers();
    const { resources } = await stack.state();
    const urn = resources.find((each) => each.urn.endsWith("::secrets-n8n-encryption-key"))?.urn ?? "none";
    const { exitCode, output } = await checkout.vpai(["up", "--stack", "sandbox", "--", "--replace", urn]);
    expect(output).toMatch(/permanent secret n8n-encryption-key: not the one[^]*allowed:[^]*do: bring back the state/);
    expect(exitCode).toBe(1);
    expect(await stack.containers()).toEqual(before);
    expect(await login()).toBe(200);
  },
  3 * MINUTE,
);

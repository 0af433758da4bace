import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { ask } from "../support/https.ts";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer, LIGHT } from "../support/converged.ts";
import type { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

// What an owner does with a stack that is up. Each test starts from a converged
// server without the products that are slow to start.

const MINUTE = 60_000;
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;

beforeAll(async () => {
  server = await ConvergedServer.open(LIGHT);
  ({ checkout, stack } = server);
}, 30 * MINUTE);

beforeEach(() => server.reset(), 5 * MINUTE);

afterAll(() => server.closeUnchanged());

test(
  "a second `up` of the engine changes nothing and makes no SSH connection; the inspection makes one",
  async () => {
    await stack.closeSharedConnection();
    const connections = await stack.sshConnections();
    expect(connections).toBeGreaterThan(0);
    const before = await stack.containers();
    const output = await stack.pulumi(["up", "--yes", "--non-interactive", "--stack", "sandbox"]);
    expect(output).toMatch(/Resources:\n\s+\d+ unchanged\n/);
    expect(await stack.sshConnections()).toBe(connections);
    expect(await stack.containers()).toEqual(before);
    expect(await checkout.expectVpai(["start", "--skip-inspect"])).toContain("Stack is up to date");
    expect(await stack.sshConnections()).toBe(connections);
    expect(await checkout.expectVpai(["start"])).toContain("Stack is up to date");
    expect(await stack.sshConnections()).toBe(connections + 1);
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
  "a container that was stopped by hand is found by the engine's own refresh too",
  async () => {
    await stack.onServer("docker stop -t 5 redis");
    await checkout.expectVpai(["up", "--stack", "sandbox", "--skip-inspect", "--", "--refresh"]);
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
    await until("Grafana after the power cut", 2 * MINUTE, async () => {
      const { status } = await ask({ port, host: "grafana.vpai.localhost", path: "/api/health", timeoutMs: 5_000 });
      if (status !== 200) throw new Error(`status ${status}`);
      return true;
    });
  },
  4 * MINUTE,
);

test(
  "another permanent secret under the same data is refused by its name, and no container is touched",
  async () => {
    const before = await stack.containers();
    const { resources } = await stack.state();
    const urn = resources.find((each) => each.urn.endsWith("::secrets-grafana-secret-key"))?.urn ?? "none";
    const { exitCode, output } = await checkout.vpai([
      "up",
      "--stack",
      "sandbox",
      "--allow-delete",
      "sandbox",
      "--",
      "--replace",
      urn,
    ]);
    expect(output).toMatch(/permanent secret grafana-secret-key: not the one[^]*allowed:[^]*do: bring back the state/);
    expect(exitCode).toBe(1);
    expect(await stack.containers()).toEqual(before);
  },
  3 * MINUTE,
);

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer, LIGHT } from "../support/converged.ts";
import { secretsOf } from "../support/secrets.ts";
import { CORE, keepServices } from "../support/core.ts";
import { expectNoSecret } from "../support/leaks.ts";
import type { SandboxStack } from "../support/stack.ts";
import { watchedRun } from "../support/watched.ts";

// A protected server is replaced, and everything that passes on the way is searched for secrets; then it is destroyed.
// One test: going back to the server costs as much as what is tried on it.

const MINUTE = 60_000;
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;

beforeAll(async () => {
  server = await ConvergedServer.open(LIGHT);
  ({ checkout, stack } = server);
}, 30 * MINUTE);

afterAll(() => server.close());

/** A smaller stack, whose server is protected. */
async function protectCore(): Promise<void> {
  await keepServices(checkout, CORE);
  await setting("vpai:protect", "true");
  await checkout.expectVpai(["up", "--stack", "sandbox"]);
}

const setting = (...args: readonly string[]): Promise<string> =>
  checkout.expectVpai(["pulumi", "--stack", "sandbox", "--", "config", "set", ...args]);

const guards = async () => {
  const [[made], addresses] = [await stack.hetzner("servers"), await stack.hetzner("primary_ips")];
  return [made?.protection, addresses.find(({ name }) => name === "vpai-sandbox")?.protection];
};

/** A bumped generation alone does not replace a protected server, and the refusal says how it is done. */
async function expectProtected(): Promise<void> {
  const before = { servers: await stack.hetzner("servers"), containers: await stack.containers() };
  await setting("--path", "vpai:vps.generation", "2");
  const { exitCode, output } = await checkout.vpai(["up", "--stack", "sandbox"]);
  expect(output).toMatch(/vpai:protect: true[^\n]*vps-server/);
  expect(output).toContain("`./vpai pulumi --stack sandbox -- config set vpai:protect false`");
  expect(exitCode).toBe(1);
  expect({ servers: await stack.hetzner("servers"), containers: await stack.containers() }).toEqual(before);
}

test(
  "protected: refused, with the way out; protection taken off: same address, host key known in advance, every container on the new machine, in one `up`, no secret in its log or in any process list, and nothing differs afterwards; the plain engine's `destroy` then leaves nothing at Hetzner",
  async () => {
    await protectCore();
    const secrets = await secretsOf(stack);
    const address = await stack.output("address");
    const knownHosts = await readFile(join(checkout.dir, ".vpai/sandbox/ssh/known_hosts"), "utf8");
    const [before] = await stack.hetzner("servers");
    const containers = await stack.containers();
    expect(await guards()).toEqual([{ delete: true, rebuild: true }, { delete: true }]);
    await expectProtected();

    await setting("vpai:protect", "false");
    const run = await watchedRun(checkout, ["up", "--stack", "sandbox", "--verbose", "--allow-delete", "sandbox"]);

    const servers = await stack.hetzner("servers");
    expect(servers).toHaveLength(1);
    expect(servers[0]?.id).not.toBe(before?.id);
    expect(await guards()).toEqual([{ delete: false, rebuild: false }, { delete: false }]);
    expect(await stack.output("address")).toBe(address);
    expect(await readFile(join(checkout.dir, ".vpai/sandbox/ssh/known_hosts"), "utf8")).toBe(knownHosts);
    const after = await stack.containers();
    expect(Object.keys(after).toSorted()).toEqual(CORE);
    expect(CORE.filter((name) => after[name] === containers[name])).toEqual([]);
    expect(await stack.healthy()).toEqual(CORE);
    expectNoSecret(run, secrets);
    const output = await stack.pulumi(["preview", "--expect-no-changes", "--non-interactive", "--stack", "sandbox"]);
    expect(output).toMatch(/unchanged/);

    await stack.pulumi(["destroy", "--yes", "--non-interactive", "--stack", "sandbox"]);
    for (const kind of ["servers", "ssh_keys", "primary_ips", "firewalls"] as const) {
      expect({ kind, left: await stack.hetzner(kind) }).toEqual({ kind, left: [] });
    }
  },
  10 * MINUTE,
);

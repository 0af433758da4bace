import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer, type Watched, watchedRun } from "../support/converged.ts";
import { secretsOf } from "../support/secrets.ts";
import { ALL, CORE, keepCore } from "../support/core.ts";
import type { SandboxStack } from "../support/stack.ts";

// A protected server is replaced, and everything that passes on the way, and at the first `up`, is searched for secrets.

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

/** Where `text` holds one of the secrets, by the secret's name; never the secret itself. */
function leaks(text: string, secrets: ReadonlyMap<string, string>): string[] {
  return [...secrets].filter(([, value]) => text.includes(value)).map(([name]) => name);
}

function expectNoSecret({ output, log, processes }: Watched, secrets: ReadonlyMap<string, string>): void {
  // The engine did say all: at this level it prints each value that it passes on.
  expect(log).toMatch(/Marshaling property for RPC/);
  expect(leaks(output + log, secrets)).toEqual([]);
  expect(processes.samples).toBeGreaterThan(20);
  expect(processes.text).toMatch(/pulumi up /);
  expect(leaks(processes.text, secrets)).toEqual([]);
}

/** A smaller stack, whose server is protected. */
async function protectCore(): Promise<void> {
  await keepCore(checkout);
  await setting("vpai:protect", "true");
  await checkout.expectVpai(["up", "--stack", "sandbox"]);
}

const setting = (...args: readonly string[]): Promise<string> =>
  checkout.expectVpai(["pulumi", "--stack", "sandbox", "--", "config", "set", ...args]);

test(
  "no secret in the log of the very first `up`, nor in any process list during it",
  async () => {
    const secrets = await secretsOf(stack);
    expect(secrets.size).toBeGreaterThan(15);
    expectNoSecret(server.first, secrets);
  },
  MINUTE,
);

test(
  "a bumped generation alone does not replace a protected server, and the refusal says how it is done",
  async () => {
    await protectCore();
    const before = { servers: await stack.hetzner("servers"), containers: await stack.containers() };
    await setting("--path", "vpai:vps.generation", "2");
    const { exitCode, output } = await checkout.vpai(["up", "--stack", "sandbox"]);
    expect(output).toMatch(/vpai:protect: true[^\n]*vps-server/);
    expect(output).toContain("`npx vpai pulumi --stack sandbox -- config set vpai:protect false`");
    expect(exitCode).toBe(1);
    expect({ servers: await stack.hetzner("servers"), containers: await stack.containers() }).toEqual(before);
  },
  5 * MINUTE,
);

test(
  "with the protection taken off: same address, host key known in advance, every container on the new machine, in one `up`, no secret in its log or in any process list, and nothing differs afterwards",
  async () => {
    await protectCore();
    const secrets = await secretsOf(stack);
    const address = await stack.output("address");
    const knownHosts = await readFile(join(checkout.dir, ".vpai/sandbox/ssh/known_hosts"), "utf8");
    const [before] = await stack.hetzner("servers");
    const containers = await stack.containers();

    await setting("vpai:protect", "false");
    await setting("--path", "vpai:vps.generation", "2");
    const run = await watchedRun(checkout, ["up", "--stack", "sandbox", "--verbose"]);

    const servers = await stack.hetzner("servers");
    expect(servers).toHaveLength(1);
    expect(servers[0]?.id).not.toBe(before?.id);
    expect(await stack.output("address")).toBe(address);
    expect(await readFile(join(checkout.dir, ".vpai/sandbox/ssh/known_hosts"), "utf8")).toBe(knownHosts);
    const after = await stack.containers();
    expect(Object.keys(after).toSorted()).toEqual(CORE);
    expect(CORE.filter((name) => after[name] === containers[name])).toEqual([]);
    expect(await stack.healthy()).toEqual(CORE);
    expectNoSecret(run, secrets);
    const output = await stack.pulumi(["preview", "--expect-no-changes", "--non-interactive", "--stack", "sandbox"]);
    expect(output).toMatch(/unchanged/);
  },
  10 * MINUTE,
);

test(
  "no secret in the exported state",
  async () => {
    const secrets = await secretsOf(stack);
    expect(leaks((await stack.state()).text, secrets)).toEqual([]);
  },
  MINUTE,
);

test(
  "no service's container shows another one's secret",
  async () => {
    const secrets = await secretsOf(stack);
    for (const name of ALL) {
      const inspected = await stack.onServer(`docker inspect ${name}`);
      const foreign = leaks(inspected, secrets).filter((secret) => !secret.startsWith(`secrets.${name}-`));
      expect({ name, foreign }).toEqual({ name, foreign: [] });
    }
  },
  MINUTE,
);

test(
  "no file on the server that others may read holds a secret",
  async () => {
    const secrets = await secretsOf(stack);
    // What Docker keeps below its own root is closed by the folder's mode.
    const readable =
      "find / \\( -path /proc -o -path /sys -o -path /var/lib/docker -o -path /usr/share -o -path /usr/lib \\) -prune " +
      "-o -type f -perm -o=r -size -512k -newer /etc/debian_version -print0";
    const text = await stack.onServer(
      `${readable} | xargs -0 -r cat -- 2> /dev/null | tr -d '\\0' | head -c 100000000`,
    );
    expect(text.length).toBeGreaterThan(10_000);
    expect(leaks(text, secrets)).toEqual([]);
    const modes = await stack.onServer("find /opt/vpai/config -path '*secret*' -type f -printf '%m %U %p\\n'");
    expect(modes).toMatch(/^400 1000 .*n8n/m);
  },
  MINUTE,
);

test(
  "the plain engine's `destroy` leaves nothing at Hetzner",
  async () => {
    await stack.pulumi(["destroy", "--yes", "--non-interactive", "--stack", "sandbox"]);
    for (const kind of ["servers", "ssh_keys", "primary_ips", "firewalls"] as const) {
      expect({ kind, left: await stack.hetzner(kind) }).toEqual({ kind, left: [] });
    }
  },
  5 * MINUTE,
);

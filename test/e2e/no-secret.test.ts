import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { ConvergedServer } from "../support/converged.ts";
import { ALL } from "../support/core.ts";
import { expectNoSecret, leaks } from "../support/leaks.ts";
import { secretsOf } from "../support/secrets.ts";
import type { SandboxStack } from "../support/stack.ts";

// Everything that others than a secret's owner may read is searched for secrets: logs, process lists, state, containers, files.

const MINUTE = 60_000;
let server: ConvergedServer;
let stack: SandboxStack;

beforeAll(async () => {
  server = await ConvergedServer.open();
  ({ stack } = server);
}, 30 * MINUTE);

beforeEach(() => server.reset(), 5 * MINUTE);

afterAll(() => server.closeUnchanged());

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

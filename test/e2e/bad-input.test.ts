import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { Checkout, Ended } from "../support/checkout.ts";
import { ConvergedServer, EMPTY, LIGHT } from "../support/converged.ts";
import { keepServices } from "../support/core.ts";
import { badSettings, expectRefusal, settings } from "../support/refusals.ts";
import type { SandboxStack } from "../support/stack.ts";

// What an operator can get wrong. Each must end within ten seconds, change nothing, and name the key, what was found,
// what is allowed and what to do.

const MINUTE = 60_000;
jest.setTimeout(MINUTE);
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;

beforeAll(async () => {
  server = await ConvergedServer.open(EMPTY);
  ({ checkout, stack } = server);
}, 30 * MINUTE);

afterAll(() => server.close());

const STACK_FILE = "Pulumi.sandbox.yaml";

/** Everything that a refused run must have left as it was. */
async function everything(): Promise<unknown> {
  const kinds = ["servers", "ssh_keys", "primary_ips", "firewalls"] as const;
  const { resources } = await stack.state();
  return {
    hetzner: await Promise.all(kinds.map((kind) => stack.hetzner(kind))),
    resources: resources.map(({ urn, id }) => ({ urn, id })),
  };
}

interface Placed {
  readonly server_type?: { readonly name: string };
  readonly location: { readonly name: string };
}

/** Runs `up` with the stack file changed, and puts the file back. */
async function withStackFile(change: (text: string) => string, run: () => Promise<Ended>): Promise<Ended> {
  let before = "";
  await checkout.edit(STACK_FILE, (text) => change((before = text)));
  try {
    return await run();
  } finally {
    await writeFile(join(checkout.dir, STACK_FILE), before);
  }
}

const up = (env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  checkout.vpai(["up", "--stack", "sandbox"], env);

describe("before there is a server", () => {
  afterEach(() => checkout.expectVpai(["sandbox", "fault", "clear"]));

  test("a first start that is refused makes nothing", async () => {
    const refused = await withStackFile(settings("vpai:domain:", "vpai:domian:"), () => checkout.vpai(["start"]));
    expectRefusal(refused, [/vpai:domian[\s\S]*allowed:[\s\S]*do:/]);
    for (const kind of ["servers", "ssh_keys", "primary_ips", "firewalls"] as const)
      expect(await stack.hetzner(kind)).toEqual([]);
  });

  const tokens = [
    { name: "refused", token: "x".repeat(64), words: ["vpai:hetznerToken", "refused", "allowed:", "do:"] },
    {
      name: "of a wrong length",
      token: "not-the-token",
      words: ["vpai:hetznerToken", "13 characters", "exactly 64 letters and digits", "do:"],
    },
  ];
  for (const { name, token, words } of tokens) {
    test(`a Hetzner token that is ${name}`, async () => {
      // The engine's command for it writes the whole file anew: it is put back as it was.
      const ended = await withStackFile(
        (text) => `${text}\n`,
        async () => {
          await stack.pulumi(["config", "set", "--secret", "vpai:hetznerToken", token, "--stack", "sandbox"]);
          return up();
        },
      );
      expectRefusal(ended, words);
      expect(ended.output).not.toContain(token);
      expect(await stack.hetzner("primary_ips")).toEqual([]);
    });
  }

  test("an SSH key that is registered at Hetzner already", async () => {
    const { HCLOUD_ENDPOINT: endpoint, HCLOUD_TOKEN: token } = await stack.env();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = JSON.stringify({
      name: "vpai-sandbox",
      public_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS",
    });
    const made = await fetch(`${endpoint}/ssh_keys`, { method: "POST", headers, body });
    expect(made.status).toBe(201);
    const ended = await up();
    const { ssh_key: key } = (await made.json()) as { ssh_key: { id: number } };
    await fetch(`${endpoint}/ssh_keys/${key.id}`, { method: "DELETE", headers });
    expectRefusal(ended, ["SSH key", "vpai-sandbox", "registered", "do:"]);
    expect(await stack.hetzner("primary_ips")).toEqual([]);
  });

  test("every wanted server type sold out: what there is instead", async () => {
    await checkout.expectVpai(["sandbox", "fault", "no-capacity", "serverType=cx33"]);
    await checkout.expectVpai(["sandbox", "fault", "no-capacity", "serverType=cx43"]);
    const ended = await up();
    expectRefusal(ended, ["vpai:vps.serverType", "cx33, cx43", "sold out", /available at fsn1: .*cx53/, "do:"]);
    expect(await stack.hetzner("primary_ips")).toEqual([]);
  });

  test(
    "orders refused though listed as available: the next type, then the next location, in the same run",
    async () => {
      await keepServices(checkout, ["node-exporter"]);
      await checkout.edit(
        STACK_FILE,
        settings("    location: fsn1", "    location: fsn1\n    locationFallbacks: [nbg1]"),
      );
      await checkout.edit(STACK_FILE, settings("vpai:protect: false", "vpai:protect: true"));
      for (const code of ["resource_unavailable", "placement_error"]) {
        const fault = ["hetzner-error", `code=${code}`, "match=POST /v1/servers", "times=1"];
        await checkout.expectVpai(["sandbox", "fault", ...fault]);
      }
      const output = await checkout.expectVpai(["up", "--stack", "sandbox"]);
      expect(output).toMatch(/Hetzner refuses cx33 at fsn1 \(resource_unavailable\)/);
      expect(output).toMatch(/Hetzner refuses cx43 at fsn1 \(placement_error\)/);
      expect(output).toMatch(/server: cx33 at nbg1, \d+\.\d\d EUR a month/);
      const servers = (await stack.hetzner("servers")) as unknown as Placed[];
      expect(servers.map((each) => [each.server_type?.name, each.location.name])).toEqual([["cx33", "nbg1"]]);
      const addresses = (await stack.hetzner("primary_ips")) as unknown as Placed[];
      expect(addresses.map(({ location }) => location.name)).toEqual(["nbg1", "nbg1"]);
      // Capacity is back, and the server stays where it is.
      expect(await stack.pulumi(["preview", "--expect-no-changes", "--non-interactive", "--stack", "sandbox"])).toMatch(
        /unchanged/,
      );
    },
    10 * MINUTE,
  );
});

describe("settings, on a stack that is up", () => {
  beforeAll(() => server.rewind(LIGHT), 8 * MINUTE);

  for (const { name, change, words } of badSettings) {
    test(`${name} is refused, and nothing changes`, async () => {
      const before = await everything();
      expectRefusal(await withStackFile(change, () => up()), words);
      expect(await everything()).toEqual(before);
    });
  }

  test("several faults are told at once", async () => {
    const change = (text: string): string =>
      text.replace("serverType: cx33", "serverType: cx99").replace("location: fsn1", "location: mars1");
    expectRefusal(await withStackFile(change, () => up()), ["cx99", "mars1"]);
  });

  test("a wrong passphrase", async () => {
    const ended = await checkout.run("pulumi", ["preview", "--non-interactive", "--stack", "sandbox"], {
      ...(await stack.env()),
      PULUMI_CONFIG_PASSPHRASE: "wrong",
    });
    expect(ended.exitCode).not.toBe(0);
    expect(ended.output).toMatch(/passphrase/);
  });

  test("a state that another run holds: who, and since when", async () => {
    const locks = join(checkout.dir, ".vpai/sandbox/state/.pulumi/locks/organization/vpai/sandbox");
    const holder = { pid: process.pid, username: "someone", timestamp: "2026-01-02T03:04:05Z" };
    await mkdir(locks, { recursive: true });
    await writeFile(
      join(locks, "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a.json"),
      JSON.stringify({ ...holder, hostname: "elsewhere" }),
    );
    const ended = await up();
    const askedFor = async () => {
      const rename = ["stack", "rename", "sandbox", "--stack", "sandbox"];
      return (await checkout.run("pulumi", rename, await stack.env())).output;
    };
    const [state, locked] = [(await stack.state()).text, await askedFor()];
    await rm(join(locks, "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a.json"));
    expectRefusal(ended, ["someone", "elsewhere", "2026-01-02", "do:"]);
    // How a lock is seen in a backend that is not a folder: asking for it changes nothing, whether there is one or not.
    expect(locked).toContain("created by someone@elsewhere");
    expect(await askedFor()).toContain("already exists");
    expect((await stack.state()).text).toBe(state);
  });
});

describe("this machine", () => {
  test("a sandbox port that is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const ended = await checkout.vpai(["start", "--instance", "taken"], { VPAI_SANDBOX_PORT: String(port) });
    await new Promise((resolve) => server.close(resolve));
    expectRefusal(ended, ["VPAI_SANDBOX_PORT", String(port), "allowed:", "do:"]);
  });

  test("a sandbox subnet that is taken", async () => {
    const { gateway } = await stack.world();
    const subnet = gateway.replace(/\.1$/, ".0/24");
    expectRefusal(await checkout.vpai(["start", "--instance", "taken"], { VPAI_SANDBOX_SUBNET: subnet }), [
      "VPAI_SANDBOX_SUBNET",
      subnet,
      "do:",
    ]);
  });

  test("a Docker daemon that is not there", async () => {
    const ended = await checkout.vpai(["start", "--instance", "taken"], { DOCKER_HOST: "unix:///nowhere/docker.sock" });
    expectRefusal(ended, ["DOCKER_HOST", "/nowhere/docker.sock", "do:"]);
  });

  test("a Go that is too old, where there is something to build", async () => {
    const fake = join(checkout.dir, "old-go");
    await mkdir(fake);
    await writeFile(join(fake, "go"), '#!/bin/sh\necho "go version go1.19.8 linux/amd64"\n');
    await chmod(join(fake, "go"), 0o755);
    const cache = join(checkout.dir, "empty-cache");
    // Settings are checked before the engine is provided.
    await checkout.edit("Pulumi.prod.yaml", (text) => text.replace("ai.example.com", "ai.your.domain"));
    const env = {
      VPAI_CACHE: cache,
      PATH: `${fake}:/usr/bin:/bin:/usr/sbin:/sbin`,
      PULUMI_HOME: join(checkout.dir, "empty-home"),
      PULUMI_BACKEND_URL: `file://${checkout.dir}`,
      PULUMI_CONFIG_PASSPHRASE: "x",
      HCLOUD_TOKEN: "0".repeat(64),
      ANTHROPIC_API_KEY: `sk-ant-${"0".repeat(64)}`,
    };
    expectRefusal(await checkout.vpai(["preview", "--stack", "prod"], env), ["1.19.8", "allowed:", "do:"]);
  });

  test("a disk that is too small", async () => {
    const small = join(checkout.dir, "small-disk");
    await mkdir(small);
    await checkout.run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", small]);
    try {
      expectRefusal(await checkout.vpai(["start", "--instance", "taken"], { VPAI_CACHE: small }), [
        "disk",
        small,
        "allowed:",
        "do:",
      ]);
    } finally {
      expect((await checkout.run("umount", [small])).exitCode).toBe(0);
    }
  });
});

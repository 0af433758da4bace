import { describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { ExistingServer } from "../../components/vps/existing/server.ts";
import { HetznerServer, type HetznerServerArgs } from "../../components/vps/hetzner/server.ts";
import { isSecret, type Recorded, record, reveal } from "../support/mocks.ts";

const base: Omit<HetznerServerArgs, "token"> = {
  stack: "prod",
  serverTypes: ["cx33", "cx43"],
  locations: ["fsn1", "nbg1"],
  generation: 3,
  ssh: { port: 2222 },
  openPorts: [],
  protect: true,
};

async function hetzner(preview: boolean, args: Partial<HetznerServerArgs> = {}): Promise<(name: string) => Recorded> {
  const finish = await record("prod", preview);
  new HetznerServer("vps", { ...base, token: pulumi.secret("the-token"), ...args });
  return named(await finish());
}

const named =
  (resources: readonly Recorded[]) =>
  (name: string): Recorded => {
    const found = resources.find((resource) => resource.name === name);
    if (!found) throw new Error(`no resource is called ${name}`);
    return found;
  };

describe.each([true, false])("a Hetzner server (preview %s)", (preview) => {
  test("its address is its own: it outlives the server", async () => {
    const at = await hetzner(preview);
    expect(at("vps-address").inputs).toMatchObject({ name: "vpai-prod", type: "ipv4", autoDelete: false });
    expect(at("vps-address").options.protect).toBe(true);
  });

  test.each([true, false])("protect %s counts at Hetzner too", async (protect) => {
    const at = await hetzner(preview, { protect });
    expect(at("vps-address").inputs["deleteProtection"]).toBe(protect);
    expect(at("vps-server").inputs).toMatchObject({ deleteProtection: protect, rebuildProtection: protect });
  });

  test("the address stays where it is until the setting is another, and the server is where its address is", async () => {
    const at = await hetzner(preview);
    expect(at("vps-address").options).toMatchObject({
      replacementTrigger: "fsn1",
      deleteBeforeReplace: true,
      ignoreChanges: ["assigneeType", "location"],
    });
    expect(at("vps-server").inputs["location"]).toEqual(at("vps-address").inputs["location"]);
    expect(at("vps-preflight").inputs["triggers"]).toEqual(["cx33 cx43", "fsn1 nbg1", 3]);
  });

  test("another generation replaces it, the old one first; what would replace it by accident is ignored", async () => {
    const { options } = (await hetzner(preview))("vps-server");
    expect(options).toMatchObject({
      replacementTrigger: "3",
      deleteBeforeReplace: true,
      ignoreChanges: ["userData", "sshKeys", "image"],
      protect: true,
    });
  });

  test("nothing is made at Hetzner before the preflight", async () => {
    const at = await hetzner(preview);
    for (const name of ["vps-ssh-key", "vps-address", "vps-firewall", "vps-server"]) {
      expect(at(name).options.dependencies).toContain(at("vps-preflight").urn);
    }
  });

  test("everything carries the stack's name", async () => {
    const at = await hetzner(preview);
    for (const name of ["vps-ssh-key", "vps-address", "vps-firewall", "vps-server"]) {
      expect(at(name).inputs).toMatchObject({ name: "vpai-prod", labels: { "vpai-stack": "prod" } });
    }
  });

  test("the token is on stdin, secret, and in no argument", async () => {
    const at = await hetzner(preview);
    const { stdin, create, interpreter, environment } = at("vps-preflight").inputs;
    expect(isSecret(stdin)).toBe(true);
    expect([interpreter, environment]).toEqual([
      ["node", "--disable-warning=ExperimentalWarning", "components/vps/hetzner/preflight.ts"],
      undefined,
    ]);
    expect(JSON.stringify(create)).not.toContain("the-token");
    expect(isSecret(at("vps-provider").inputs["token"])).toBe(true);
  });
});

test("the server boots with its firewall, its address and the host key that we know", async () => {
  const at = await hetzner(false);
  const { inputs } = at("vps-server");
  expect(inputs).toMatchObject({
    serverType: "cx33",
    image: "debian-12",
    firewallIds: [4711],
    publicNets: [{ ipv4Enabled: true, ipv4: 4711, ipv6Enabled: true }],
  });
  expect(isSecret(inputs["userData"])).toBe(true);
  expect(reveal(inputs["userData"])).toContain("private-key-of-vps-host-key");
});

describe.each([true, false])("an existing server (preview %s)", (preview) => {
  async function existing(): Promise<(name: string) => Recorded> {
    const finish = await record("prod", preview);
    new ExistingServer("vps", {
      address: "203.0.113.9",
      hostKey: "ssh-ed25519 AAAA root@x",
      generation: 1,
      ssh: { port: 2222, passwordLogin: false },
      protect: true,
      first: { port: 22, user: "admin", password: pulumi.secret("hunter2") },
    });
    return named(await finish());
  }

  test("it is entered once, by the door it came with, and its host key is checked", async () => {
    const { inputs, options } = (await existing())("vps-arrival");
    expect(reveal(inputs["connection"])).toMatchObject({
      host: "203.0.113.9",
      port: 22,
      user: "admin",
      hostKey: "ssh-ed25519 AAAA root@x",
    });
    expect(inputs).toMatchObject({ create: "sudo -n bash -s", triggers: ["203.0.113.9", 1], logging: "none" });
    expect(options.ignoreChanges).toEqual(["connection", "create", "stdin", "logging"]);
  });
});

test("both doors of an existing server stay open", async () => {
  const finish = await record("prod", false);
  const { machine } = new ExistingServer("vps", {
    address: "203.0.113.9",
    hostKey: "ssh-ed25519 AAAA root@x",
    generation: 1,
    ssh: { port: 2222, passwordLogin: false },
    protect: true,
    first: { port: 22, user: "root", password: pulumi.secret("hunter2") },
  });
  const script = await new Promise<string>((resolve) => machine.bootstrap.apply(resolve));
  const hostKey = await new Promise<string>((resolve) => machine.hostKey.apply(resolve));
  await finish();
  expect(script).toContain("export VPAI_SSH_PORTS='2222 22'");
  expect(hostKey).toBe("ssh-ed25519 AAAA");
});

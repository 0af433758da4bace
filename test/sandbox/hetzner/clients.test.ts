import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { type Json, type Project, publicKey, startProject, token } from "./project.ts";

// Debian's own clients, unmodified: what they read and write is the API as its users know it.

const run = promisify(execFile);
let project: Project;
let home: string;

beforeAll(async () => {
  project = await startProject({ actionDelayMs: 20 });
  home = mkdtempSync(join(tmpdir(), "vpai-hcloud-"));
  writeFileSync(join(home, "key.pub"), `${publicKey}\n`);
});

afterAll(async () => {
  await project.close();
  rmSync(home, { recursive: true });
});

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: home, HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: project.hetzner.endpoint };
}

/** Fails, never skips: a client that is not there has proved nothing. */
async function demand(what: string, aptPackage: string, works: () => Promise<unknown>): Promise<void> {
  await works().catch((error: unknown) => {
    throw new Error(`${what} is missing: apt-get install -y ${aptPackage} (${String(error)})`);
  });
}

describe("hcloud", () => {
  beforeEach(() => demand("hcloud", "hcloud-cli", () => run("/usr/bin/hcloud", ["server", "--help"])));

  const hcloud = async (...args: string[]): Promise<string> => {
    const { stdout } = await run("/usr/bin/hcloud", ["--poll-interval", "50ms", ...args], { env: environment() });
    return stdout;
  };
  const described = async (kind: string, name: string): Promise<Json> =>
    JSON.parse(await hcloud(kind, "describe", name, "-o", "json"));

  test("lists server types", async () => {
    expect(await hcloud("server-type", "list", "-o", "columns=name,cores,memory,disk,cpu_type")).toMatch(
      /^cx23 +2 +4\.0 GB +40 GB +shared$/m,
    );
  });

  test("makes a key, an address and a firewall, and a server with them", async () => {
    await hcloud("ssh-key", "create", "--name", "key", "--public-key-from-file", join(home, "key.pub"));
    expect(await hcloud("ssh-key", "list", "-o", "columns=name,fingerprint")).toMatch(/^key +([0-9a-f]{2}:){15}/m);
    await hcloud("primary-ip", "create", "--name", "ip", "--type", "ipv4", "--datacenter", "fsn1-dc14");
    await hcloud("firewall", "create", "--name", "wall");
    const rule = ["--direction", "in", "--protocol", "tcp", "--port", "22", "--source-ips", "0.0.0.0/0"];
    await hcloud("firewall", "add-rule", "wall", ...rule);
    const order = ["--name", "web", "--type", "cx23", "--image", "debian-12", "--location", "fsn1", "--ssh-key", "key"];
    const options = ["--firewall", "wall", "--primary-ipv4", "ip", "--without-ipv6", "--label", "a=b"];
    expect(await hcloud("server", "create", ...order, ...options)).toContain("IPv4: 10.213.7.10");
    expect(await hcloud("server", "list", "-o", "columns=name,status,ipv4")).toMatch(/^web +running +10\.213\.7\.10$/m);
    expect(await described("server", "web")).toMatchObject({ status: "running", labels: { a: "b" } });
    expect(await described("firewall", "wall")).toMatchObject({ applied_to: [{ type: "server" }] });
  });

  test("switches it off and on", async () => {
    await hcloud("server", "poweroff", "web");
    expect((await described("server", "web")).status).toBe("off");
    await hcloud("server", "poweron", "web");
    expect((await described("server", "web")).status).toBe("running");
  });

  test("enables and disables rescue mode, resets the password", async () => {
    expect(await hcloud("server", "enable-rescue", "web")).toMatch(/Rescue enabled .* root password: \S{20}/);
    expect((await described("server", "web")).rescue_enabled).toBe(true);
    await hcloud("server", "disable-rescue", "web");
    expect((await described("server", "web")).rescue_enabled).toBe(false);
    expect(await hcloud("server", "reset-password", "web")).toMatch(/password of server \d+ reset to: \S{20}/i);
  });

  test("enables backups, makes one, and disables them", async () => {
    await hcloud("server", "enable-backup", "web");
    expect((await described("server", "web")).backup_window).toMatch(/^\d\d-\d\d$/);
    await hcloud("server", "create-image", "web", "--type", "backup", "--description", "nightly");
    expect(await hcloud("image", "list", "--type", "backup", "-o", "columns=type,description")).toMatch(
      /^backup +nightly$/m,
    );
    await hcloud("server", "disable-backup", "web");
    expect((await described("server", "web")).backup_window).toBeNull();
    expect(await hcloud("image", "list", "--type", "backup", "-o", "noheader")).toBe("");
  });

  test("protects, and is refused a deletion", async () => {
    await hcloud("primary-ip", "enable-protection", "ip");
    await hcloud("server", "enable-protection", "web", "delete", "rebuild");
    expect(await described("primary-ip", "ip")).toMatchObject({ protection: { delete: true } });
    for (const [kind, name] of [
      ["primary-ip", "ip"],
      ["server", "web"],
    ] as const) {
      await expect(hcloud(kind, "delete", name)).rejects.toThrow("(protected)");
    }
    await hcloud("primary-ip", "disable-protection", "ip");
    await hcloud("server", "disable-protection", "web", "delete", "rebuild");
  });

  test("sets the reverse name of an address", async () => {
    const reverse = async (): Promise<string> => (await described("primary-ip", "ip")).dns_ptr[0].dns_ptr;
    expect(await reverse()).toMatch(/your-server\.de$/);
    await hcloud("primary-ip", "set-rdns", "ip", "--ip", "10.213.7.10", "--hostname", "web.example.com");
    expect(await reverse()).toBe("web.example.com");
  });

  test("is told why it may not", async () => {
    await expect(hcloud("primary-ip", "delete", "ip")).rejects.toThrow("(must_be_unassigned)");
    await expect(hcloud("ssh-key", "create", "--name", "key", "--public-key", publicKey)).rejects.toThrow(
      "(uniqueness_error)",
    );
    await expect(hcloud("server", "describe", "nobody")).rejects.toThrow("server not found: nobody");
  });

  test("deletes everything", async () => {
    await hcloud("server", "delete", "web");
    const { json } = await project.call("GET", "/servers/actions?sort=id:desc");
    await project.ended(json.actions[0]);
    await hcloud("primary-ip", "delete", "ip");
    await hcloud("firewall", "delete", "wall");
    await hcloud("ssh-key", "delete", "key");
    expect(project.hetzner.inventory()).toMatchObject({ servers: [], primaryIps: [], firewalls: [], sshKeys: [] });
  });
});

const program = `
import os
from hcloud import APIException, Client
from hcloud.datacenters.domain import Datacenter
from hcloud.firewalls.domain import FirewallResource, FirewallRule
from hcloud.images.domain import Image
from hcloud.locations.domain import Location
from hcloud.server_types.domain import ServerType

client = Client(token=os.environ["HCLOUD_TOKEN"], api_endpoint=os.environ["HCLOUD_ENDPOINT"], poll_interval=0.05)
public_key = open(os.environ["HOME"] + "/key.pub").read().strip()
key = client.ssh_keys.create(name="py", public_key=public_key)
try:
    client.ssh_keys.create(name="again", public_key=public_key)
except APIException as error:
    print("refused", error.code, error.details["fields"][0]["name"])
rule = FirewallRule(direction="in", protocol="tcp", port="22", source_ips=["0.0.0.0/0"], destination_ips=[])
wall = client.firewalls.create(name="py", rules=[rule]).firewall
made = client.servers.create(
    name="py", server_type=ServerType("cx23"), image=Image(name="debian-12"), location=Location("fsn1"),
    ssh_keys=[key], firewalls=[wall], user_data="#cloud-config", labels={"by": "python"},
)
for action in [made.action, *made.next_actions]:
    action.wait_until_finished()
server = client.servers.get_by_name("py")
print(server.status, server.public_net.ipv4.ip, server.server_type.name, server.public_net.firewalls[0].status)
server.power_off().wait_until_finished()
print(client.servers.get_by_id(server.id).status)
server.power_on().wait_until_finished()
rescue = server.enable_rescue(type="linux64", ssh_keys=[key.id])
rescue.action.wait_until_finished()
server.reload()
print(rescue.action.command, len(rescue.root_password), server.rescue_enabled)
server.disable_rescue().wait_until_finished()
reset = server.reset_password()
reset.action.wait_until_finished()
print(reset.action.command, len(reset.root_password))
server.enable_backup().wait_until_finished()
backup = server.create_image(description="py", type="backup")
backup.action.wait_until_finished()
print(backup.image.bound_to.id == server.id, server.protection, len(client.servers.get_by_id(server.id).backup_window))
server.disable_backup().wait_until_finished()
print(len(client.images.get_all(type=["backup"])), client.servers.get_by_id(server.id).backup_window)
address = client.primary_ips.create(name="py", type="ipv6", datacenter=Datacenter(name="fsn1-dc14")).primary_ip
first = address.ip.replace("/64", "1")
address.change_dns_ptr(ip=first, dns_ptr="py.example.com").wait_until_finished()
address.change_protection(delete=True).wait_until_finished()
try:
    address.delete()
except APIException as error:
    print("refused", error.code)
address.reload()
print(address.dns_ptr == [{"ip": first, "dns_ptr": "py.example.com"}])
address.change_dns_ptr(ip=first, dns_ptr=None).wait_until_finished()
address.reload()
print(address.dns_ptr)
address.change_protection(delete=False).wait_until_finished()
address.delete()
image = server.create_image(description="py", type="snapshot")
image.action.wait_until_finished()
print(client.images.get_by_id(image.image.id).status, [found.name for found in client.servers.get_all(label_selector="by=python")])
image.image.delete()
for action in wall.remove_from_resources([FirewallResource(type="server", server=server)]):
    action.wait_until_finished()
server.delete().wait_until_finished()
wall.delete()
key.delete()
print(len(client.servers.get_all()), len(client.firewalls.get_all()), len(client.ssh_keys.get_all()))
`;

describe("python3-hcloud", () => {
  test("makes, switches, snapshots and deletes a server", async () => {
    await demand("python3-hcloud", "python3-hcloud", () => run("/usr/bin/python3", ["-c", "import hcloud"]));
    const { stdout } = await run("/usr/bin/python3", ["-c", program], { env: environment() });
    expect(stdout.trim().split("\n")).toEqual([
      "refused uniqueness_error public_key",
      "running 10.213.7.10 cx23 applied",
      "off",
      "enable_rescue 20 True",
      "reset_password 20",
      "True {'delete': False, 'rebuild': False} 5",
      "0 None",
      "refused protected",
      "True",
      "[]",
      "available ['py']",
      "0 0 0",
    ]);
  });
});

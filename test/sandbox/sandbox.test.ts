import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import Docker from "dockerode";
import { stringify } from "yaml";
import { closeWorld, openWorld, type World } from "../../sandbox/supervisor/client.ts";
import { act, api, makeServer, serverStatus } from "./support/hetzner.ts";
import { eventually, makeKeys, ssh, type SshKeys } from "./support/ssh.ts";

const name = `world-${process.pid}`;
const report = () => undefined;
const docker = new Docker();
const anywhere = ["0.0.0.0/0", "::/0"];
const inbound = (port: string) => ({ direction: "in", protocol: "tcp", port, source_ips: anywhere });

let world: World;
let keys: SshKeys;
let server: { id: number; ip: string };

const on = (script: string, user = "root", host = server.ip) => ssh(keys, user, host, script);
const reached = (host: string, user = "root") =>
  eventually(
    `ssh to ${host}`,
    60,
    () => on("echo in", user, host),
    ({ status }) => status === 0,
  );
const startedAt = async () => {
  const [container] = await docker.listContainers({ all: true, filters: { label: [`vpai.server=${server.id}`] } });
  return (await docker.getContainer(container?.Id ?? "").inspect()).State.StartedAt;
};

const userData = (): string =>
  `#cloud-config\n${stringify({
    ssh_keys: { ed25519_private: keys.hostPrivate, ed25519_public: keys.hostPublic },
    users: [{ name: "deploy", shell: "/bin/bash", ssh_authorized_keys: [keys.clientPublic] }],
  })}`;

beforeAll(async () => {
  keys = await makeKeys();
  world = await openWorld(name, { report });
  await api(world, "POST", "/ssh_keys", { name: "client", public_key: keys.clientPublic });
  server = await makeServer(world, { name: "web", image: "debian-12", ssh_keys: ["client"], user_data: userData() });
}, 300_000);

afterAll(async () => {
  await closeWorld(name);
  await keys.remove();
}, 60_000);

describe("a server", () => {
  test("shows the host key it was given, and lets in root and the user it was told of", async () => {
    await reached(server.ip);
    await reached(server.ip, "deploy");
    const wrong = { ...keys, hostPublic: keys.clientPublic };
    expect((await ssh(wrong, "root", server.ip, "true")).output).toContain("Host key verification failed");
  }, 70_000);

  test("looks like a fresh Debian 12", async () => {
    const seen = await on(
      "cloud-init status --wait >/dev/null; . /etc/os-release; echo $ID $VERSION_ID; hostname; id -u; " +
        "python3 -c 'print(1 + 1)'; command -v docker || echo no docker; systemctl is-system-running --wait; " +
        "ip -o route get 192.0.2.1 | grep -o 'via [0-9.]*'",
    );
    expect(seen.output.split("\n")).toEqual([
      "debian 12",
      "web",
      "0",
      "2",
      "no docker",
      "running",
      `via ${world.gateway}`,
    ]);
  }, 60_000);

  test("reaches registries, model providers and Debian, and nothing else", async () => {
    const code = (url: string) => `curl -s -o /dev/null -m 10 -w '%{http_code}\\n' ${url}`;
    const fails = (url: string) => `curl -s -o /dev/null -m 10 ${url} && echo reached ${url} || echo unreachable`;
    const elsewhere = [
      "http://169.254.169.254/",
      "http://192.0.2.1/",
      "https://1.1.1.1/",
      `http://${world.gateway}:9000/health`,
      `http://${world.gateway}:8080/v1`,
      "http://172.17.0.1:80/",
      "http://example.org/",
    ];
    const seen = await on(
      [
        ...["registry-1.docker.io", "ghcr.io", "quay.io", "docker.n8n.io"].map((host) => code(`https://${host}/v2/`)),
        // Without a key they know nobody, and say so.
        ...["api.anthropic.com", "api.openai.com"].map((host) => code(`https://${host}/v1/models`)),
        code("http://deb.debian.org/"),
        ...elsewhere.map(fails),
      ].join("\n"),
    );
    expect(seen.output.split("\n")).toEqual([
      "200",
      "200",
      "200",
      "200",
      "401",
      "401",
      "403",
      ...elsewhere.map(() => "unreachable"),
    ]);
  }, 60_000);

  test("installs a package through the proxy", async () => {
    const seen = await on(
      "export DEBIAN_FRONTEND=noninteractive; (apt-get -qq update && apt-get -qq install -y tree) >/dev/null 2>&1 && tree --version",
    );
    expect(seen).toEqual({ status: 0, output: expect.stringMatching(/^tree v/) });
  }, 90_000);
});

test("a browser on this machine gets to the newest server's 443", async () => {
  await on(
    "mkdir -p /srv && cd /srv && echo hello >index.html && systemd-run -q -p WorkingDirectory=/srv python3 -m http.server 443",
  );
  const look = () =>
    fetch(`http://127.0.0.1:${world.port}/`).then(
      (answer) => answer.text(),
      (error: Error) => error.message,
    );
  expect(await eventually("the page", 20, look, (text) => text === "hello\n")).toBe("hello\n");
}, 30_000);

test("faults strike at the simulated Hetzner until they are cleared", async () => {
  await world.inject({ name: "hetzner-5xx", match: "GET /servers" });
  await expect(serverStatus(world, server.id)).rejects.toThrow("500");
  await world.clearFaults();
  expect(await serverStatus(world, server.id)).toBe("running");
});

test("an image that the sandbox cannot make is named, with what it can", async () => {
  const pin = `docker.io/library/nothing:1@sha256:${"0".repeat(64)}`;
  await expect(world.publish([pin], "built")).rejects.toThrow(/library\/nothing.*\n {2}allowed: .*postgres/);
});

describe("the firewall", () => {
  let firewall: number;
  const allow = async (port: string) => {
    await api(world, "POST", `/firewalls/${firewall}/actions/set_rules`, { rules: [inbound(port)] });
  };

  test("shuts a port and opens it", async () => {
    const made = await api<{ firewall: { id: number } }>(world, "POST", "/firewalls", {
      name: "wall",
      rules: [inbound("443")],
      apply_to: [{ type: "server", server: { id: server.id } }],
    });
    firewall = made.firewall.id;
    await eventually(
      "port 22 shut",
      20,
      () => on("true"),
      ({ output }) => output.includes("timed out"),
    );
    await allow("22");
    expect((await reached(server.ip)).output).toBe("in");
  }, 60_000);

  test("outlives a reboot from inside", async () => {
    await allow("443");
    await eventually(
      "port 22 shut",
      20,
      () => on("true"),
      ({ output }) => output.includes("timed out"),
    );
    const before = await startedAt();
    const [container] = await docker.listContainers({ filters: { label: [`vpai.server=${server.id}`] } });
    const exec = await docker.getContainer(container?.Id ?? "").exec({ Cmd: ["systemctl", "reboot"] });
    await exec.start({});
    await eventually("the reboot", 60, startedAt, (now) => now !== before);
    expect((await on("true")).output).toContain("timed out");
    await allow("22");
    await reached(server.ip);
  }, 120_000);
});

describe("the power", () => {
  test("is cut without the API being asked, and comes back with the disk as it was", async () => {
    await on("echo kept >/root/mark; mkdir -p /var/lib/docker/x && echo too >/var/lib/docker/x/mark; sync");
    await world.powerCut("web");
    expect(await serverStatus(world, server.id)).toBe("off");
    expect((await on("true")).status).toBe(255);
    await act(world, server.id, "poweron");
    await reached(server.ip);
    expect((await on("cat /root/mark /var/lib/docker/x/mark")).output).toBe("kept\ntoo");
  }, 90_000);

  test("cannot be cut of a server that is not there", async () => {
    await expect(world.powerCut("nobody")).rejects.toThrow("allowed: web");
  });
});

test("a snapshot makes a new server with the disk, and Docker's, of the old", async () => {
  const made = await api<{ image: { id: number }; action: { id: number } }>(
    world,
    "POST",
    `/servers/${server.id}/actions/create_image`,
    { type: "snapshot", description: "before" },
  );
  const image = made.image.id;
  const status = () => api<{ image: { status: string } }>(world, "GET", `/images/${image}`);
  await eventually("the snapshot", 60, status, (seen) => seen.image.status === "available");
  const copy = await makeServer(world, { name: "copy", image, ssh_keys: ["client"], user_data: userData() });
  await reached(copy.ip);
  const seen = await on("hostname; cat /root/mark /var/lib/docker/x/mark", "root", copy.ip);
  expect(seen.output).toBe("copy\nkept\ntoo");
  await api(world, "DELETE", `/images/${image}`);
  await reached(copy.ip);
  await api(world, "DELETE", `/servers/${copy.id}`);
  const gone = () => world.inventory();
  const left = await eventually("one server left", 60, gone, ({ cloud }) => cloud.servers.length === 1);
  expect([left.containers.length, left.images, left.volumes.length, left.chains.length]).toEqual([1, [], 1, 4]);
}, 120_000);

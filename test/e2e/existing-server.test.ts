import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderHostTable } from "../../components/host/firewall/host-table.ts";
import { planFirewall } from "../../components/host/firewall/plan.ts";
import { hostFiles, renderBootstrap } from "../../components/vps/bootstrap.ts";
import { closeWorld, openWorld, type World } from "../../sandbox/supervisor/client.ts";
import { api, makeServer } from "../sandbox/support/hetzner.ts";
import { eventually, makeKeys, ssh, type SshKeys, type SshResult } from "../sandbox/support/ssh.ts";

// The bootstrap, and what takes it off again, on servers of their owners: real systemd, sshd, apt and Docker.

const name = `existing-${process.pid}`;
let world: World;
let keys: SshKeys;

const addresses: Record<string, string> = {};

type On = (script: string, user?: string) => Promise<SshResult>;

const server = async (hostname: string): Promise<On> => {
  const user_data = `#cloud-config\n${JSON.stringify({ ssh_keys: { ed25519_private: keys.hostPrivate, ed25519_public: keys.hostPublic } })}`;
  const made = await makeServer(world, { name: hostname, image: "debian-12", ssh_keys: ["client"], user_data });
  addresses[hostname] = made.ip;
  const on: On = (script, user = "root") => ssh(keys, user, made.ip, script);
  await eventually(
    `ssh to ${hostname}`,
    60,
    () => on("cloud-init status --wait"),
    ({ status }) => status === 0,
  );
  return on;
};

const bootstrap = (): string => {
  const script = renderBootstrap({
    sshPorts: [2222, 22],
    deployKey: keys.clientPublic,
    passwordLogin: false,
    files: hostFiles(),
  });
  return `cat > /root/bootstrap <<'END OF TEST'\n${script}END OF TEST\nbash /root/bootstrap 2>&1`;
};

/** A package of nothing but its name and what it conflicts with. */
const emptyPackage = (packageName: string, more = ""): string => `
  mkdir -p /root/${packageName}/DEBIAN
  printf 'Package: ${packageName}\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.org>\\nDescription: x\\n${more}' > /root/${packageName}/DEBIAN/control
  dpkg-deb -b /root/${packageName} /root/${packageName}.deb`;

beforeAll(async () => {
  keys = await makeKeys();
  world = await openWorld(name, { report: () => undefined });
  await api(world, "POST", "/ssh_keys", { name: "client", public_key: keys.clientPublic });
}, 300_000);

afterAll(async () => {
  await closeWorld(name);
  await keys.remove();
}, 180_000);

describe("a server that was used before", () => {
  let on: On;
  beforeAll(async () => {
    on = await server("used");
  }, 120_000);

  test.each([
    ["AllowUsers root", "AllowUsers root"],
    ["AllowUsers root\\nAllowUsers alice deployer", "AllowUsers root alice deployer"],
    ["DenyUsers alice dep*", "DenyUsers alice dep*"],
    ["AllowGroups sudo ssh-users", "AllowGroups sudo ssh-users"],
    ["DenyGroups docker", "DenyGroups docker"],
    ["Match User deploy\\n  PubkeyAuthentication no", "PubkeyAuthentication no"],
    ["Match User deploy\\n  AuthenticationMethods publickey,password", "AuthenticationMethods publickey,password"],
  ])(
    "whose sshd has %j is refused before anything is changed",
    async (settings, named) => {
      const seen = await on(
        `printf '${settings}\\n' > /etc/ssh/sshd_config.d/00-owner.conf\n${bootstrap()}; echo $?; id deploy 2>&1`,
      );
      await on("rm /etc/ssh/sshd_config.d/00-owner.conf");
      expect(seen.output.split("\n")).toEqual([
        `bootstrap: sshd shuts the user deploy out by ${named}; do: let deploy in with its key in /etc/ssh/sshd_config or sshd_config.d`,
        "1",
        "id: ‘deploy’: no such user",
      ]);
    },
    30_000,
  );

  test("keeps every package: what Debian's Docker would remove is named", async () => {
    await on(`${emptyPackage("docker-ce-cli", "Conflicts: docker.io\\n")}\ndpkg -i /root/docker-ce-cli.deb`);
    const seen = await on(bootstrap());
    expect(seen.output).toMatch(
      /bootstrap: installing .*docker\.io.* would remove docker-ce-cli; do: remove it yourself if nothing needs it$/,
    );
    expect((await on("dpkg-query -W -f '${db:Status-Abbrev}' docker-ce-cli; dpkg -r docker-ce-cli")).output).toMatch(
      /^ii /,
    );
  }, 120_000);

  test("is made ours, also after a power cut in the middle of an installation", async () => {
    await on(`${emptyPackage("half")}
      dpkg --unpack /root/half.deb
      sed -n '/^Package: half$/,/^$/p' /var/lib/dpkg/status > /var/lib/dpkg/updates/0001
      printf 'AllowUsers root dep*@10.0.0.0/8 deploy\\nDenyUsers deploy@192.0.2.1\\n' > /etc/ssh/sshd_config.d/00-owner.conf`);
    expect((await on("apt-get -y install tini")).output).toContain("dpkg was interrupted");
    const seen = await on(bootstrap());
    expect(seen.output).toMatch(/^bootstrap: done \(\d+s\)$/m);
    expect(seen.output).toMatch(/^bootstrap: Docker [\d.]+\S* of docker\.io /m);
    const state = await on(
      "dpkg-query -W -f '${Package} ${db:Status-Abbrev}\\n' half apparmor docker.io; ls /var/lib/dpkg/updates; " +
        "[ -e /sys/kernel/security/apparmor ] && docker info -f '{{.SecurityOptions}}' | grep -o name=apparmor",
    );
    const lines = state.output.split("\n").map((line) => line.trim());
    expect(lines.slice(0, 3)).toEqual(["apparmor ii", "docker.io ii", "half ii"]);
    // What the kernel of the machine that runs the tests has decides.
    expect(lines[3] ?? "none").toBe(seen.output.includes("this kernel has no AppArmor") ? "none" : "name=apparmor");
    expect((await on(bootstrap())).output).toMatch(/^bootstrap: done/m);
  }, 240_000);
});

describe("a server with a Docker of its owner's", () => {
  let on: On;
  beforeAll(async () => {
    on = await server("docker");
    // Debian's, under the name that Docker's own package has.
    const made =
      await on(`cd /root && export DEBIAN_FRONTEND=noninteractive && apt-get -qq update && apt-get -qq download docker.io &&
      dpkg-deb -R docker.io_*.deb docker-ce && cd docker-ce/DEBIAN &&
      sed -i 's/^Package: .*/Package: docker-ce/; s/^Conflicts: .*/Conflicts: docker.io/; /^Replaces:/d; /^Breaks:/d' control &&
      cd /root && dpkg-deb -Znone -b docker-ce docker-ce.deb && apt-get -qq -y install --no-install-recommends ./docker-ce.deb && docker info`);
    expect(made).toMatchObject({ status: 0 });
  }, 240_000);

  test.each([
    [
      "docker swarm init > /dev/null",
      "docker swarm leave --force",
      /^bootstrap: Docker is in a swarm, which excludes live-restore; do: /,
    ],
    [
      "mkdir -p /etc/systemd/system/docker.service.d; printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' > /etc/systemd/system/docker.service.d/x.conf; systemctl daemon-reload; systemctl stop docker.socket docker",
      "rm -r /etc/systemd/system/docker.service.d; systemctl daemon-reload; systemctl reset-failed docker; systemctl start docker",
      /^bootstrap: Docker of docker-ce does not work \(.*\); do: repair it, or remove it/,
    ],
  ])(
    "that %j is refused by name, and left as it is",
    async (spoil, mend, message) => {
      await on(spoil);
      const seen = await on(`${bootstrap()}; id deploy 2>&1`);
      const after = await on(`${mend} && docker info > /dev/null && dpkg-query -W -f '\${db:Status-Abbrev}' docker-ce`);
      expect(seen.output).toMatch(message);
      expect(seen.output).toContain("no such user");
      expect(after.output).toMatch(/ii $|ii$/);
    },
    60_000,
  );

  test("keeps it, and its containers run on", async () => {
    await on(`echo '{"debug": true}' > /etc/docker/daemon.json; systemctl restart docker`);
    const run =
      "docker run -d --name own -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro empty /usr/bin/sleep 1000";
    expect(await on(`tar cf - -T /dev/null | docker import - empty && ${run}`)).toMatchObject({ status: 0 });
    const started = "docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' own";
    const before = await on(started);
    const seen = await on(bootstrap());
    expect(seen.output).toMatch(/^bootstrap: Docker [\d.]+\S* of docker-ce /m);
    expect(seen.output).toMatch(/^bootstrap: done/m);
    expect(before.output).toMatch(/^true /);
    expect(await on(started)).toEqual(before);
    const state = await on(
      "dpkg-query -W -f '${Package} ${db:Status-Abbrev}\\n' docker-ce docker.io; docker info -f '{{.LoggingDriver}} {{.LiveRestoreEnabled}} {{.Debug}}'",
    );
    expect(state.output.split("\n")).toEqual(["docker-ce ii ", "docker.io un ", "json-file true true"]);
    // A file with settings of its owner's is left to him.
    expect(JSON.parse((await on(leave(true))).output)).toMatchObject({
      left: [expect.stringMatching(/^\/etc\/docker\/daemon\.json, with its owner's settings and ours /)],
    });
    expect(await on(started)).toEqual(before);
  }, 240_000);
});

const LEAVE = readFileSync(join(import.meta.dirname, "../../files/host/leave.py"), "utf8");
const leave = (withData: boolean): string =>
  `cat > /tmp/leave.py <<'END OF TEST'\n${LEAVE}END OF TEST\nsudo -n python3 -I /tmp/leave.py '{"withData": ${withData}}' 2>&1`;

/** Files as a deployment leaves them. */
const DEPLOYED =
  "mkdir -p /opt/vpai/config/n8n/secrets /opt/vpai/data/n8n; echo secret > /opt/vpai/config/n8n/secrets/key; echo x > /opt/vpai/data/n8n/x; echo '{}' > /var/lib/vpai/permanent.json; " +
  "mkdir -p /etc/vpai /etc/fail2ban/jail.d; for file in vpai/backup.json fail2ban/jail.d/vpai.local systemd/system/vpai-backup.timer; do echo x > /etc/$file; done; echo x > /var/lib/vpai/backup.prom";
const OURS =
  "/opt/vpai/config /opt/vpai/host /usr/local/lib/vpai /etc/docker/daemon.json /etc/vpai /etc/fail2ban/jail.d/vpai.local /etc/systemd/system/vpai-backup.timer";

describe("a server that a stack leaves", () => {
  let on: On;
  beforeAll(async () => {
    on = await server("left");
    expect((await on(`${bootstrap()}\n${DEPLOYED}`)).output).toMatch(/^bootstrap: done/m);
  }, 240_000);

  const OWN = "/etc/ssh/sshd_config.d";
  const logins = (which: string): Promise<SshResult> =>
    on(`sudo -n /usr/local/lib/vpai/logins ${which} 2>&1`, "deploy");
  /** Methods that sshd offers to root, as soon as they are these. */
  const untilOffered = (methods: string): Promise<unknown> =>
    eventually(
      `sshd offers ${methods}`,
      20,
      async () => {
        const none = ["-o", "PreferredAuthentications=none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"];
        const to = ["-p", "2222", ...none, "-o", "UserKnownHostsFile=/dev/null", `root@${addresses["left"]}`];
        return spawnSync("ssh", [...to, "true"], { encoding: "utf8" }).stderr;
      },
      (stderr) => stderr.includes(`Permission denied (${methods})`),
    );

  test("takes no passwords once that is wanted, refuses what it would break before it changes anything, and takes them again", async () => {
    await on(`printf 'PasswordAuthentication yes\n' > ${OWN}/50-owner.conf; systemctl restart ssh`);
    await untilOffered("publickey,password");
    expect(await logins("keys")).toEqual({ status: 0, output: "" });
    await untilOffered("publickey");
    expect((await on("id -un")).output).toBe("root");
    expect(await logins("any")).toEqual({ status: 0, output: "" });
    await untilOffered("publickey,password");

    const refusals: readonly (readonly [settings: string, message: RegExp])[] = [
      [
        "Nonsense yes",
        /^logins: sshd refuses its configuration as it is: .*Nonsense.*; do: see `sshd -t` on the server$/,
      ],
      [
        "AuthenticationMethods publickey,password",
        /^logins: sshd refuses logins by key alone: .*AuthenticationMethods.*; do: change that setting, or /,
      ],
      [
        "Match User root\\n  AuthenticationMethods publickey,keyboard-interactive",
        /^logins: sshd has "AuthenticationMethods publickey,keyboard-interactive", which takes passwords; do: /,
      ],
    ];
    for (const [settings, message] of refusals) {
      expect((await on(`printf '${settings}\n' > ${OWN}/00-owner.conf`)).status).toBe(0);
      const refused = await logins("keys");
      await on(`rm ${OWN}/00-owner.conf`);
      expect({ settings, ...refused }).toEqual({ settings, status: 1, output: expect.stringMatching(message) });
      expect((await on(`ls ${OWN}`)).output).not.toContain("10-vpai-logins.conf");
    }
    await on(`mv ${OWN}/50-owner.conf ${OWN}/00-owner.conf`);
    expect(await logins("keys")).toMatchObject({
      status: 1,
      output: expect.stringMatching(/^logins: sshd does not take PasswordAuthentication no; do: remove /),
    });
    await on(`mv ${OWN}/00-owner.conf ${OWN}/50-owner.conf`);
    expect(await logins("keys")).toEqual({ status: 0, output: "" });
    await untilOffered("publickey");
  }, 90_000);

  /** Has the server try a firewall whose sshd answers to this range, as a run does. */
  async function tryFirewall(range: string, closing = "open"): Promise<{ exitCode: number | null; stderr: string }> {
    const config = join(keys.dir, "config");
    const settings = {
      HostName: addresses["left"],
      Port: 2222,
      User: "deploy",
      IdentityFile: join(keys.dir, "client"),
      UserKnownHostsFile: join(keys.dir, "known_hosts"),
      BatchMode: "yes",
      LogLevel: "ERROR",
    };
    await writeFile(
      config,
      ["Host vpai", ...Object.entries(settings).map(([key, value]) => `  ${key} ${value}`), ""].join("\n"),
    );
    const cidrs = { ssh: [range], vpn: [] };
    const { ports } = planFirewall({ definitions: [], sshdPorts: [2222, 22], cidrs, enforcement: "host" });
    const { status, stderr } = spawnSync("sh", [join(import.meta.dirname, "../../files/client/keep-firewall.sh")], {
      input: renderHostTable({ ports, vpn: [] }),
      env: { ...process.env, VPAI_SSH: config, VPAI_CLOSING: closing },
      encoding: "utf8",
    });
    return { exitCode: status, stderr: stderr.trim() };
  }

  test("keeps a firewall that lets a new connection in, takes back one that does not, and boots with the first", async () => {
    expect((await on("ss -tln | grep -c 2222", "deploy")).status).toBe(0);
    await on("systemd-run --quiet --unit owners python3 -m http.server 8099");
    await eventually(
      "the owner's program",
      20,
      () => on("ss -tln | grep -c :8099"),
      ({ output }) => output === "1",
    );
    expect(await tryFirewall("0.0.0.0/0", "ask")).toEqual({
      exitCode: 1,
      stderr: "firewall: would close 8099/tcp, on which programs of this server listen",
    });
    expect((await on("nft list tables | grep -c vpai")).output).toBe("0");
    expect(await tryFirewall("0.0.0.0/0")).toMatchObject({ exitCode: 0, stderr: "" });
    const table = await on("nft --stateless list table inet vpai");
    expect(table.output).toContain("tcp dport 2222 accept");
    expect(await tryFirewall("0.0.0.0/0")).toMatchObject({ exitCode: 0, stderr: "" });

    const refused = await tryFirewall("198.51.100.0/24");
    expect(refused.stderr).toMatch(
      /^firewall: taken back: within 45 s no new SSH connection from [\d.]+ got in with the new rules; those of before are in force again$/,
    );
    expect(refused.exitCode).toBe(1);
    expect(await on("nft --stateless list table inet vpai")).toEqual(table);

    // As at a boot: only what was kept is loaded.
    for (const line of [
      "nft delete table inet vpai; systemctl restart vpai-firewall",
      "systemctl start nftables; systemctl reload nftables",
      "systemctl restart nftables",
    ]) {
      await on(line);
      expect({ line, ...(await on("nft --stateless list table inet vpai")) }).toEqual({ line, ...table });
    }
  }, 180_000);

  test("keeps everything while a container of ours is there", async () => {
    await on(
      "tar cf - -T /dev/null | docker import - empty; docker create --name n8n --label vpai.service=n8n empty x",
    );
    expect((await on(leave(false), "deploy")).output).toBe("in use by container n8n");
    expect((await on(`docker rm n8n > /dev/null; ls -d ${OURS} | wc -l`)).output).toBe("7");
  }, 30_000);

  test("keeps our way in where the owner's would go with it", async () => {
    await on("echo 'Port 2200' > /etc/ssh/sshd_config.d/50-owner.conf");
    const seen = await on(leave(false), "deploy");
    await on("rm /etc/ssh/sshd_config.d/50-owner.conf");
    expect(JSON.parse(seen.output)).toMatchObject({
      access: "stays",
      left: [expect.stringMatching(/^port 2222 and the user deploy: without .* sshd would not listen on port 22\. /)],
    });
    expect(
      (await on("id -un; grep -c . /etc/ssh/sshd_config.d/10-vpai.conf > /dev/null && sudo -n id -un", "deploy"))
        .output,
    ).toBe("deploy\nroot");
  }, 30_000);

  test("has neither secrets nor our way in afterwards; root's login and the data stay", async () => {
    // What the test before has removed, as the run that is repeated finds it.
    expect((await on(`${bootstrap()}\n${DEPLOYED}`)).output).toMatch(/^bootstrap: done/m);
    expect(await logins("keys")).toEqual({ status: 0, output: "" });
    const seen = await on(leave(false), "deploy");
    expect(JSON.parse(seen.output)).toMatchObject({
      access: "goes; root's own stays, on port 22",
      data: { path: "/opt/vpai/data" },
      left: [],
    });
    await eventually(
      "the end of the user deploy",
      60,
      () => on("id deploy > /dev/null 2>&1 && echo there || echo gone; systemctl is-active vpai-leave"),
      ({ output }) => output.startsWith("gone") && !output.endsWith("activating") && !output.endsWith("\nactive"),
    );
    expect((await on("true", "deploy")).status).toBe(255);
    const left = await on(
      `ls -d ${OURS} /home/deploy /etc/sudoers.d/vpai /etc/ssh/sshd_config.d/10-vpai*.conf 2> /dev/null; ls /opt/vpai /var/lib/vpai; cat /opt/vpai/data/n8n/x; ` +
        "/usr/sbin/sshd -T | grep '^port '; grep -c ':08AE ' /proc/net/tcp; nft list tables | grep -c vpai; docker info > /dev/null && echo Docker",
    );
    expect(left.output.split("\n")).toEqual([
      "/opt/vpai:",
      "data",
      "",
      "/var/lib/vpai:",
      "permanent.json",
      "x",
      "port 22",
      "0",
      "0",
      "Docker",
    ]);
  }, 240_000);

  test("can be taken into use again, and then left without its data", async () => {
    expect((await on(bootstrap())).output).toMatch(/^bootstrap: done/m);
    expect(JSON.parse((await on(leave(true), "deploy")).output)).toMatchObject({ data: null, left: [] });
    expect((await on("ls -d /opt/vpai /var/lib/vpai 2>&1 | grep -c 'No such'")).output).toBe("2");
  }, 240_000);
});

import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { databaseReadback, recordedReadback, recordReadback } from "../../../components/database/readback.ts";
import { renderDatabaseSql } from "../../../components/database/sql.ts";
import { scramVerifier } from "../../../components/database/scram.ts";
import { renderCaddyfile } from "../../../components/services/caddy/config.ts";
import { renderSshFiles } from "../../../components/host/ssh-files.ts";
import { cacheSecret, databaseSecret } from "../../../components/service/model/secrets.ts";
import { revealFrom } from "../../../components/service/plan/secrets.ts";
import { renderAcl } from "../../../components/services/redis/service.ts";
import { hostFiles, renderBootstrap } from "../../../components/vps/bootstrap.ts";
import { renderCloudInit, USER_DATA_LIMIT } from "../../../components/vps/hetzner/cloud-init.ts";

const DEPLOY_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHCXMp6IBWWoAePXd6a/3VZodaRrTlDSWTALsVZWigG+";

describe("bootstrap", () => {
  const hashOf = (script: string): string => /^export VPAI_HASH=(.*)$/m.exec(script)?.[1] ?? "";
  const files = { "bootstrap.sh": "echo 'it runs'\n", "daemon.json": "{}" };

  test("unpacks its files and runs the first", () => {
    const script = renderBootstrap({ sshPorts: [2222, 22], deployKey: `${DEPLOY_KEY}\n`, passwordLogin: true, files });
    expect(script).toBe(`#!/bin/bash
set -euo pipefail
umask 022
install -d -m 0755 /opt/vpai /opt/vpai/host
exec 9> /opt/vpai/host/.lock
flock -w 600 9
cat > /opt/vpai/host/bootstrap.sh <<'__END_OF_VPAI_FILE__'
echo 'it runs'
__END_OF_VPAI_FILE__
cat > /opt/vpai/host/daemon.json <<'__END_OF_VPAI_FILE__'
{}
__END_OF_VPAI_FILE__
export VPAI_SSH_PORTS='2222 22'
export VPAI_DEPLOY_KEY='${DEPLOY_KEY}'
export VPAI_LOGINS=any
export VPAI_HASH=${hashOf(script)}
exec bash /opt/vpai/host/bootstrap.sh
`);
  });

  test("has another hash when anything in it changes", () => {
    const hash = (sshPorts: number[], text: string, passwordLogin = false): string =>
      hashOf(renderBootstrap({ sshPorts, deployKey: DEPLOY_KEY, passwordLogin, files: { ...files, "gate.py": text } }));
    const hashes = [hash([2222], "a"), hash([2222], "b"), hash([2223], "a"), hash([2222], "a", true)];
    expect(new Set(hashes).size).toBe(4);
    expect(hash([2222], "a")).toMatch(/^[0-9a-f]{64}$/);
  });

  test("refuses a key that could break out of its quotes", () => {
    expect(() =>
      renderBootstrap({ sshPorts: [2222], deployKey: `${DEPLOY_KEY}'; reboot '`, passwordLogin: false, files }),
    ).toThrow("not an OpenSSH");
  });
});

test("cloud-init", () => {
  const bootstrap = "#!/bin/bash\necho\n";
  const text = renderCloudInit({ hostKey: { private: "PRIVATE\nKEY\n", public: "ssh-ed25519 AAAA\n" }, bootstrap });
  const [, content = ""] = /^ {4}content: (.+)$/m.exec(text) ?? [];
  expect(gunzipSync(Buffer.from(content, "base64")).toString()).toBe(bootstrap);
  expect(text.replace(content, "…")).toBe(
    `#cloud-config
ssh_pwauth: false
ssh_deletekeys: true
ssh_keys:
  ed25519_private: |
    PRIVATE
    KEY
  ed25519_public: ssh-ed25519 AAAA
write_files:
  - path: /root/vpai-bootstrap
    owner: root:root
    permissions: "0700"
    encoding: gz+b64
    content: …
runcmd:
  - - bash
    - /root/vpai-bootstrap
`,
  );
});

test("the real user data leaves room below Hetzner's limit", () => {
  const bootstrap = renderBootstrap({
    sshPorts: [2222],
    deployKey: DEPLOY_KEY,
    passwordLogin: false,
    files: hostFiles(),
  });
  const text = renderCloudInit({ hostKey: { private: "x".repeat(400), public: DEPLOY_KEY }, bootstrap });
  expect(Buffer.byteLength(text)).toBeLessThan(USER_DATA_LIMIT * 0.75);
  expect(() =>
    renderCloudInit({ hostKey: { private: "x", public: "y" }, bootstrap: randomBytes(40_000).toString("hex") }),
  ).toThrow("Hetzner takes 32768");
});

describe("database", () => {
  const database = { service: "x", server: "postgresql", password: databaseSecret("x"), holdsData: true };

  // Made by PostgreSQL's own rules (RFC 5802) with Python's hashlib, from the salt in it.
  test("the verifier is the one that PostgreSQL would store", () => {
    expect(scramVerifier("n8n", "pencil")).toBe(
      "SCRAM-SHA-256$4096:OeZ7mvaU2VTm2h+GdOAfzw==$LRB1yZoIGs4fipMb7e/8K+OlFVqA3VQ4p7CqseYj8UE=:N1JXyJ0iFB2R+uOWl/vD5Z5AP5KqzNQ3mqZaYh5bxnE=",
    );
  });

  test("the same password gives another verifier to another role", () => {
    expect(scramVerifier("n8n", "pencil")).not.toBe(scramVerifier("litellm", "pencil"));
  });

  test("is read back without its password, and what is recorded of it is a comment for psql", () => {
    const plan = { ...database, name: "x", extensions: ["vector"], memberOf: ["pg_monitor"] };
    const readback = databaseReadback(plan, scramVerifier("x", "pencil"));
    expect(readback.lines).toEqual([
      { what: "role x", value: "login, member of pg_monitor" },
      { what: "password of role x", value: expect.stringMatching(/^[0-9a-f]{12}$/) },
      { what: "database x", value: "owner x", holdsData: true },
      { what: "schema public of database x", value: "owner x" },
      { what: "extension vector of database x", value: "installed" },
    ]);
    expect(JSON.stringify(readback)).not.toContain("SCRAM");
    const sql = recordReadback(readback, "SELECT 1;\n");
    expect(sql.split("\n").map((line) => line.slice(0, 12))).toEqual(["-- readback:", "SELECT 1;", ""]);
    expect(recordedReadback(sql)).toEqual(readback);
    expect(recordedReadback("SELECT 1;\n")).toBeUndefined();
  });

  test.each(['n8n"; DROP', "N8N", "", "8n"])("refuses the name %j", (name) => {
    expect(() =>
      renderDatabaseSql({ ...database, name, extensions: [], memberOf: [] }, "SCRAM-SHA-256$1:a$b:c"),
    ).toThrow("plain SQL name");
  });
});

test("Redis' users: the default one is off, two without a password may do one thing each, each service has its keys", () => {
  const users = [
    { service: "litellm", password: cacheSecret("litellm"), keys: ["litellm:*"], rules: ["+@all", "-@admin"] },
  ];
  expect(renderAcl(users, revealFrom({ "litellm-cache": "pencil", "redis-inspect": "pen" })))
    .toBe(`user default off resetpass resetkeys resetchannels -@all
user health on nopass resetkeys resetchannels -@all +ping
user reload on nopass resetkeys resetchannels -@all +acl|load
user inspect on #e21a6b0cb193057e06ac16b813443b3e6abae0db22762c6956a78ea049453058 resetkeys resetchannels -@all +acl|list
user litellm on #13809668fb436386706f67dcb052ed584a04ba16a8c02a17d66d34c30fceda21 resetchannels ~litellm:* +@all -@admin
`);
});

test.each([
  [["100.64.0.0/10"], "	@outside not remote_ip 100.64.0.0/10\n	respond @outside 403\n"],
  // Before there is a VPN, its routes are there and closed (P26).
  [[], "	@outside remote_ip 0.0.0.0/0 ::/0\n	respond @outside 403\n"],
])("a route for the VPN answers to %j alone", (cidrs, lines) => {
  const route = {
    host: "grafana.x.org",
    origin: "https://grafana.x.org",
    service: "grafana",
    upstream: "grafana:3000",
    audience: "vpn" as const,
    healthPath: "/api/health",
    upstreamWaitSeconds: 60,
    denyPaths: [],
    oncePaths: [],
  };
  expect(renderCaddyfile("x.org", [route], cidrs)).toContain(`grafana.x.org {\n	import common\n${lines}	reverse_proxy`);
});

test("SSH files: the host key is known, and every machine has a socket of its own", () => {
  const access = {
    machineId: "42",
    address: "203.0.113.7",
    port: 2222,
    user: "deploy",
    hostKey: "ssh-ed25519 AAAA",
    privateKey: "KEY",
  };
  const files = renderSshFiles(".vpai/x/ssh", access);
  expect(files.id_ed25519).toBe("KEY\n");
  expect(files.known_hosts).toBe("vpai ssh-ed25519 AAAA\n");
  expect(files.config).toMatch(
    /StrictHostKeyChecking yes[^]*IdentityFile \.vpai\/x\/ssh\/id_ed25519[^]*ControlMaster auto/,
  );
  const socket = (text: string): string => /ControlPath (\S+)/.exec(text)?.[1] ?? "";
  expect(socket(files.config)).not.toBe(socket(renderSshFiles(".vpai/x/ssh", { ...access, machineId: "43" }).config));
});

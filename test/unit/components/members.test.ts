import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "@jest/globals";

const SCRIPT = join(__dirname, "../../../files/host/members.py");
const scratch = mkdtempSync(join(tmpdir(), "vpai-members-"));
afterAll(() => rmSync(scratch, { recursive: true }));

// A stand-in for `docker exec headscale headscale`: users and nodes are files of JSON; what it was asked goes to a log.
const DOCKER = `#!/usr/bin/env python3
import json, os, sys
home, words = os.environ["HOME"], sys.argv[1:]
open(home + "/asked", "a").write(" ".join(words) + "\\n")
def read(name): return json.load(open(home + "/" + name))
def write(name, value): json.dump(value, open(home + "/" + name, "w"))
if words[0] == "container": sys.exit(0 if os.path.exists(home + "/has-container") else 1)
if words[0] == "restart" or words[3:] == ["health"]: sys.exit()
verb = " ".join(words[3:5])
if verb == "users list": print(json.dumps(read("users")))
elif verb == "users create": write("users", [{"id": 7, "name": words[5]}]); print("{}")
elif verb == "nodes list": print(json.dumps(read("nodes")))
elif verb == "nodes delete": write("nodes", [n for n in read("nodes") if str(n["id"]) != words[6]]); print("{}")
elif verb == "preauthkeys create": print(json.dumps({"key": "hskey-auth-of-this-test"}))
else: print(json.dumps({"error": "unknown command"}, indent="\\t"), file=sys.stderr); sys.exit(1)
`;

const SERVER = {
  id: 1,
  name: "vpai",
  given_name: "vpai",
  tags: ["tag:server"],
  ip_addresses: ["100.64.0.1", "fd7a::1"],
  online: true,
};
const LAPTOP = {
  id: 2,
  name: "laptop",
  given_name: "laptop",
  user: { name: "owner" },
  ip_addresses: ["100.64.0.2"],
  last_seen: { seconds: 1795852708 },
};
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(scratch, "home-"));
  writeFileSync(join(home, "docker"), DOCKER, { mode: 0o755 });
  mkdirSync(join(home, "data/tailscale/own"), { recursive: true });
  mkdirSync(join(home, "config/headscale"), { recursive: true });
  writeFileSync(join(home, "config/headscale/config.yaml"), "server_url: https://vpn.ai.example.com\nlisten_addr: x\n");
  put("users", []);
  put("nodes", []);
});
const put = (name: string, value: unknown): void => writeFileSync(join(home, name), JSON.stringify(value));
const asked = (): string => readFileSync(join(home, "asked"), "utf8");
const keyFile = (): string => join(home, "data/tailscale/own/authkey");
const run = (...words: readonly string[]): unknown => {
  const { status, stdout, stderr } = spawnSync("python3", ["-I", SCRIPT, ...words], {
    env: {
      ...process.env,
      HOME: home,
      PATH: `${home}:${process.env["PATH"]}`,
      VPAI_ROOT: home,
      VPAI_INTERFACES: join(home, "net"),
    },
    encoding: "utf8",
    timeout: 60_000,
  });
  return status === 0 ? JSON.parse(stdout) : stderr.trim();
};
const joined = (): unknown => run("server", "owner", "tag:server", "100.64.0.1", "own");

test("a server that is no member gets a key, which only root can read and nobody prints", () => {
  expect(joined()).toBe(null);
  expect(readFileSync(keyFile(), "utf8")).toBe("hskey-auth-of-this-test\n");
  expect(statSync(keyFile()).mode & 0o777).toBe(0o400);
  expect(asked()).toContain("preauthkeys create --user 7 --expiration 720h --tags tag:server");
  expect(asked()).not.toContain("restart");
});

test("a server that is a member with its address stays one", () => {
  put("users", [{ id: 7, name: "owner" }]);
  put("nodes", [SERVER, LAPTOP]);
  writeFileSync(join(home, "data/tailscale/own/tailscaled.state"), "{}");
  expect(joined()).toBe(null);
  expect(existsSync(keyFile())).toBe(false);
  expect(asked()).not.toMatch(/delete|create|restart/);
});

test("a server that lost its state, or has another address, joins again as the same one, with its own address", () => {
  put("nodes", [SERVER, LAPTOP]);
  expect(joined()).toBe(null);
  expect(asked()).toMatch(/nodes delete --identifier 1 --force[^]*restart headscale[^]*preauthkeys create/);
  expect(asked()).not.toContain("--identifier 2");
  expect(existsSync(keyFile())).toBe(true);
});

test("a machine that has the server's address is named, and nothing is changed", () => {
  put("nodes", [{ ...LAPTOP, ip_addresses: ["100.64.0.1"] }]);
  expect(joined()).toBe(
    "vpn: 100.64.0.1 is the server's address, and the machine laptop has it: remove that one (`vpai vpn remove`)",
  );
  expect(asked()).not.toMatch(/delete|preauthkeys/);
});

test("a machine is added once, listed, and removed", () => {
  put("nodes", [SERVER, LAPTOP]);
  expect(run("add", "owner", "phone")).toEqual({ url: "https://vpn.ai.example.com", key: "hskey-auth-of-this-test" });
  expect(run("add", "owner", "laptop")).toMatch(/^vpn: a machine called laptop is a member already/);
  expect(run("list")).toEqual([
    { name: "vpai", address: "100.64.0.1", owner: "tag:server", online: true, seen: null },
    { name: "laptop", address: "100.64.0.2", owner: "owner", online: false, seen: 1795852708 },
  ]);
  expect(run("remove", "tag:server", "laptop")).toEqual({ removed: true });
  expect(run("remove", "tag:server", "laptop")).toEqual({ removed: false });
});

test("a container that runs is started again with the new key", () => {
  writeFileSync(join(home, "has-container"), "");
  expect(joined()).toBe(null);
  expect(asked()).toMatch(/preauthkeys create[^]*restart tailscale/);
});

test("the server itself is not removed", () => {
  put("nodes", [SERVER]);
  expect(run("remove", "tag:server", "vpai")).toBe(
    "vpn: vpai is the server itself: it is a member as long as vpai:vpn.host is true",
  );
  expect(asked()).not.toContain("delete");
});

test("a server with a tailscaled of its owner's is left as it is", () => {
  mkdirSync(join(home, "net/tailscale0"), { recursive: true });
  expect([run("alone"), joined()]).toEqual(Array(2).fill(expect.stringMatching(/^vpn: another tailscaled runs/)));
  writeFileSync(join(home, "has-container"), "");
  expect(run("alone")).toBe(null);
});

test("what Headscale refuses is its own words", () => {
  writeFileSync(join(home, "docker"), `#!/bin/sh\nprintf '{\\n\\t"error": "user not found"\\n}\\n' >&2; exit 1\n`, {
    mode: 0o755,
  });
  expect(run("list")).toBe("vpn: `headscale nodes list` failed: user not found");
});

test("what Docker refuses is an error with its last line", () => {
  writeFileSync(join(home, "docker"), "#!/bin/sh\necho 'Error: No such container: headscale' >&2; exit 1\n", {
    mode: 0o755,
  });
  expect(run("list")).toBe("vpn: `headscale nodes list` failed: Error: No such container: headscale");
});

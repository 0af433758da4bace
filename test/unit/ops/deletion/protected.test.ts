import { expect, test } from "@jest/globals";
import {
  deletedBy,
  guardedAtHetzner,
  knownAtHetzner,
  presentCredentials,
  protectedFault,
} from "../../../../ops/deletion/protected.ts";
import type { StateResource } from "../../../../ops/engine/state.ts";
import { OperatorError } from "../../../../shared/errors.ts";

const resource = (type: string, name: string, more: Partial<StateResource> = {}): StateResource => ({
  urn: `urn:pulumi:prod::vpai::${type}::${name}`,
  type,
  id: "7",
  custom: true,
  ...more,
});
const server = resource("hcloud:index/server:Server", "vps-server");
const guarded = { ...server, protect: true };
const container = resource("docker:index/container:Container", "n8n-container");
const provider = resource("pulumi:providers:hcloud", "vps-provider");
const facts = { stack: "prod", disabled: [], permanent: {} };

const text = (resources: readonly StateResource[], setting: boolean): string | undefined => {
  const fault = protectedFault(resources, setting, facts);
  return fault && new OperatorError(fault).message;
};

test("the refusal says what would be lost, and the way", () => {
  expect(text([guarded, container, provider], true))
    .toBe(`vpai:protect: true; nothing has been touched. \`destroy\` would delete 2 resources:
    - the server (vps-server) is deleted: all data on it is lost
    - the service n8n is removed; its data stays on the server
  allowed: false, and an \`up\` since then
  do: save the data, \`vpai pulumi --stack prod -- config set vpai:protect false\`, \`vpai up --stack prod\`, then \`vpai destroy --stack prod\``);
});

test("a setting that the state does not know yet is not enough", () => {
  expect(text([guarded], false)).toContain("false now, but the 1 protected resources do not know it yet");
  expect(text([guarded], false)).toContain("do: `vpai up --stack prod`, then `vpai destroy --stack prod`");
});

test.each<[string, StateResource[], boolean]>([
  ["nothing to delete", [], true],
  ["only the engine's own", [provider], true],
  ["no protection, in setting or state", [server, container], false],
])("%s is not refused", (_, resources, setting) => {
  expect(text(resources, setting)).toBeUndefined();
});

test("a protected setting alone refuses: the state may have been made before it", () => {
  expect(text([server], true)).toContain("vpai:protect: true");
});

test("what the state knows at Hetzner, and whether the present token is needed", () => {
  expect([...knownAtHetzner([server, container, { ...server, id: "" }])]).toEqual(["servers 7"]);
  expect(presentCredentials([server, provider])).toEqual(["--run-program"]);
  expect(presentCredentials([container])).toEqual([]);
});

test("what Hetzner protects, of what a run deletes", () => {
  const [on, off] = [{ outputs: { deleteProtection: true } }, { outputs: { deleteProtection: false } }];
  const server = resource("hcloud:index/server:Server", "vps-server", { id: "1", ...on });
  const address = resource("hcloud:index/primaryIp:PrimaryIp", "vps-address", { id: "2", ...on });
  const firewall = resource("hcloud:index/firewall:Firewall", "vps-firewall", { id: "3" });
  const free = resource("hcloud:index/server:Server", "free", { id: "4", ...off });
  const all = [server, address, firewall, free];
  const step = (op: string, { urn, type }: StateResource) => ({ op, urn, type, real: true });
  const guarded = (steps: Parameters<typeof deletedBy>[0]) =>
    guardedAtHetzner(all, deletedBy(steps)).map(({ collection, id }) => `${collection} ${id}`);
  expect(guarded([step("delete", server), step("delete", free), step("delete", firewall)])).toEqual(["servers 1"]);
  expect(guarded([step("replace", server), step("same", address)])).toEqual(["servers 1"]);
  expect(guarded([step("update", server), step("delete-replaced", address)])).toEqual(["primary_ips 2"]);
});

import { describe, expect, test } from "@jest/globals";
import {
  planRecovery,
  wantedOf,
  withoutPending,
  type ExportedState,
  type Found,
  type Observed,
} from "../../../ops/recover/plan.ts";

const types = {
  server: "hcloud:index/server:Server",
  "primary ip": "hcloud:index/primaryIp:PrimaryIp",
  firewall: "hcloud:index/firewall:Firewall",
  "ssh key": "hcloud:index/sshKey:SshKey",
  container: "docker:index/container:Container",
  network: "docker:index/network:Network",
  password: "random:index/randomPassword:RandomPassword",
} as const;
type Noun = keyof typeof types;

const urn = (noun: Noun, name: string): string => `urn:pulumi:sandbox::vpai::${types[noun]}::${name}`;
const pending = (noun: Noun, name: string, type = "creating") => ({
  type,
  resource: { urn: urn(noun, name), type: types[noun], inputs: { name } },
});
const resource = (noun: Noun, name: string, id: string) => ({ urn: urn(noun, name), type: types[noun], id });
const state = (deployment: ExportedState["deployment"]): ExportedState => ({ deployment });
const thing = (kind: Found["kind"], name: string, id: string, more: Partial<Found> = {}): Found => ({
  kind,
  name,
  id,
  ours: true,
  ...more,
});
const seen = (found: readonly Found[], more: Partial<Observed> = {}): Observed => ({
  found,
  dockerReachable: true,
  ...more,
});

const server = thing("server", "vpai-sandbox", "42", { created: "2026-11-23T16:05:52+00:00" });
const since = new Date("2026-11-23T16:05:50Z");

describe("a pending create", () => {
  test.each<[string, ExportedState, Observed, string[]]>([
    ["of nothing found is dropped", state({ pending_operations: [pending("server", "vpai-sandbox")] }), seen([]), []],
    [
      "of a thing found under its name removes it",
      state({ pending_operations: [pending("server", "vpai-sandbox")] }),
      seen([server]),
      ["server 42"],
    ],
    [
      "of a thing that the state knows leaves it",
      state({
        resources: [resource("server", "vpai-sandbox", "42")],
        pending_operations: [pending("server", "vpai-sandbox")],
      }),
      seen([server]),
      [],
    ],
    [
      "in a replacement removes the new one, not the one in the state",
      state({
        resources: [resource("server", "vpai-sandbox", "41")],
        pending_operations: [pending("server", "vpai-sandbox")],
      }),
      seen([{ ...server, id: "41" }, server]),
      ["server 42"],
    ],
    [
      "of a name that somebody else's thing has leaves that",
      state({ pending_operations: [pending("ssh key", "vpai-sandbox")] }),
      seen([thing("ssh key", "vpai-sandbox", "7", { ours: false })]),
      [],
    ],
    [
      "of a container removes it",
      state({
        resources: [resource("server", "vpai-sandbox", "42")],
        pending_operations: [pending("container", "n8n")],
      }),
      seen([thing("container", "n8n", "f00")]),
      ["container f00"],
    ],
    ["of a password is dropped", state({ pending_operations: [pending("password", "pw")] }), seen([]), []],
    [
      "removes what uses before what is used",
      state({
        pending_operations: [
          pending("ssh key", "k"),
          pending("firewall", "f"),
          pending("primary ip", "ip"),
          pending("server", "vpai-sandbox"),
        ],
      }),
      seen([
        thing("ssh key", "k", "1"),
        thing("firewall", "f", "2"),
        thing("primary ip", "ip", "3", { assignedTo: "42" }),
        server,
      ]),
      ["server 42", "primary ip 3", "firewall 2", "ssh key 1"],
    ],
  ])("%s", (_name, exported, observed, removed) => {
    const plan = planRecovery(exported, observed);
    expect(plan.remove.map(({ kind, id }) => `${kind} ${id}`)).toEqual(removed);
    expect(plan.faults).toEqual([]);
    expect(plan.drop).toEqual((exported.deployment.pending_operations ?? []).map((each) => each.resource.urn));
  });
});

describe("a labelled thing that no note names", () => {
  test("is removed when the interrupted run made it", () => {
    expect(planRecovery(state({}), seen([server], { since })).remove).toEqual([server]);
  });

  test("is left and told of when it is older than that run", () => {
    const old = { ...server, created: "2026-11-01T00:00:00+00:00" };
    const plan = planRecovery(state({}), seen([old], { since }));
    expect(plan.remove).toEqual([]);
    expect(plan.notes).toEqual([
      "server vpai-sandbox (id 42) carries this stack's label, but the state does not know it",
    ]);
  });

  test("is left when nothing says when the run began", () => {
    expect(planRecovery(state({}), seen([server])).remove).toEqual([]);
  });
});

describe("what a person has to decide", () => {
  test("an address in use by a server of the state", () => {
    const exported = state({
      resources: [resource("server", "vpai-sandbox", "42")],
      pending_operations: [pending("primary ip", "vpai-sandbox")],
    });
    const plan = planRecovery(exported, seen([thing("primary ip", "vpai-sandbox", "3", { assignedTo: "42" })]));
    expect(plan.remove).toEqual([]);
    expect(plan.faults.map(({ found }) => found)).toEqual(["in use by server 42, but unknown to the state"]);
  });

  test("a container on a server that does not answer", () => {
    const exported = state({
      resources: [resource("server", "vpai-sandbox", "42")],
      pending_operations: [pending("container", "n8n")],
    });
    const plan = planRecovery(exported, seen([], { dockerReachable: false }));
    expect(plan.faults.map(({ key }) => key)).toEqual(["container n8n"]);
  });

  test("a container on an existing machine that does not answer", () => {
    const plan = planRecovery(
      state({ pending_operations: [pending("container", "n8n")] }),
      seen([], { dockerReachable: false }),
    );
    expect(plan.faults).toHaveLength(1);
  });

  test("nothing, when the server goes as well", () => {
    const exported = state({ pending_operations: [pending("container", "n8n"), pending("server", "vpai-sandbox")] });
    expect(planRecovery(exported, seen([server], { dockerReachable: false })).faults).toEqual([]);
  });
});

test("only creates are looked up: an interrupted update or delete is simply done again", () => {
  const exported = state({
    pending_operations: [
      pending("container", "n8n", "updating"),
      pending("server", "s", "deleting"),
      pending("network", "backend"),
    ],
  });
  expect(wantedOf(exported)).toEqual([{ urn: urn("network", "backend"), kind: "network", name: "backend" }]);
});

test("the state goes back without its notes, and otherwise as it was", () => {
  const exported = {
    version: 3,
    deployment: { manifest: {}, resources: [], pending_operations: [pending("server", "s")] },
  };
  expect(withoutPending(exported)).toEqual({ version: 3, deployment: { manifest: {}, resources: [] } });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import type { StateResource } from "../../../../ops/engine/state.ts";
import {
  chosenOf,
  keptFault,
  orderedOf,
  orderLine,
  planOrder,
  refusalOf,
  refusedLine,
} from "../../../../ops/order/plan.ts";

const urn = (type: string, name: string): string => `urn:pulumi:prod::vpai::vpai:vps:HetznerServer$${type}::${name}`;
const resource = (type: string, name: string, id: string, outputs: object): StateResource => ({
  urn: urn(type, name),
  type,
  id,
  outputs: outputs as Record<string, unknown>,
});
const preflight = resource("command:local:Command", "vps-preflight", "c1", { stdout: "cx33 at fsn1" });
const address = resource("hcloud:index/primaryIp:PrimaryIp", "vps-address", "12", { location: "fsn1" });
const other = resource("command:local:Command", "host-ready", "c2", { stdout: "cx99 at hel1" });

test("what a state says of an order", () => {
  expect(orderedOf([])).toEqual({});
  expect(orderedOf([other, preflight, address])).toEqual({
    preflight: preflight.urn,
    address: { urn: address.urn, id: "12", location: "fsn1", protect: false },
  });
  expect(chosenOf([other, preflight])).toEqual({ type: "cx33", location: "fsn1" });
  expect(chosenOf([other])).toBeUndefined();
});

test.each<[string, StateResource[], string, string[], boolean]>([
  ["nothing is known yet", [], "fsn1", [], false],
  ["an earlier preflight looks again", [preflight], "fsn1", ["--replace", preflight.urn], false],
  ["an address at the location stays", [preflight, address], "fsn1", ["--replace", preflight.urn], false],
  [
    "an address at another location gives way",
    [preflight, address],
    "nbg1",
    ["--replace", preflight.urn, "--replace", address.urn],
    true,
  ],
])("%s", (_name, resources, location, flags, releases) => {
  const plan = planOrder(orderedOf(resources), { type: "cx43", location });
  expect(plan.flags).toEqual(flags);
  expect(plan.release?.id).toBe(releases ? "12" : undefined);
});

const server = (message: string): string =>
  `Diagnostics:\n  hcloud:index:Server (vps-server):\n    error:   sdk-v2/provider2.go:571: ${message}: provider=hcloud@1.41.0\n    error: 1 error occurred:\n    \t* ${message}\n\n  pulumi:pulumi:Stack (vpai-prod):\n    error: update failed\n`;

test.each<[string, string | undefined]>([
  [server("error during placement (resource_unavailable, 6c98d1ce9872c228)"), "resource_unavailable"],
  [server("no host found (placement_error)"), "placement_error"],
  [server("server limit (resource_limit_exceeded, 6c98d1ce9872c228)"), undefined],
  [server("x").replace("Server (vps-server)", "PrimaryIp (vps-address)"), undefined],
  [server("none left (resource_unavailable)").replace("Server (vps-server)", "PrimaryIp (vps-address)"), undefined],
  [readFileSync(join(import.meta.dirname, "../recorded/unavailable.txt"), "utf8"), "resource_unavailable"],
  ["", undefined],
])("which order was refused for lack of capacity (%#)", (output, code) => {
  expect(refusalOf(output)).toBe(code);
});

test("what the operator reads", () => {
  const prices = {
    currency: "EUR",
    servers: { "cx43 at fsn1": 11.99 },
    primaryIps: { "ipv4 at fsn1": 0.5 },
    volumeGb: 0,
    imageGb: 0,
  };
  const offer = { type: "cx43", location: "fsn1" };
  expect(orderLine(offer, prices)).toBe(
    "server: cx43 at fsn1, 11.99 EUR a month; its address, 0.50 EUR a month; without VAT",
  );
  expect(orderLine(offer, undefined)).toBe(
    "server: cx43 at fsn1, price unknown; its address, price unknown; without VAT",
  );
  expect(refusedLine("cx33 at fsn1", "resource_unavailable")).toBe(
    "Hetzner refuses cx33 at fsn1 (resource_unavailable), though it lists it as available: the next one is tried",
  );
  const fault = { key: "k", fix: "do this" };
  expect(keptFault(fault, { types: ["cx33"], locations: ["fsn1"] }, "fsn1", "prod")).toEqual(fault);
  expect(keptFault(fault, { types: ["cx33"], locations: ["fsn1", "nbg1"] }, "fsn1", "prod").fix).toBe(
    "do this; or with `--allow-delete prod` have the address at fsn1 given up for one at nbg1",
  );
});

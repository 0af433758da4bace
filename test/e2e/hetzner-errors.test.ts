import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { ERROR_STATUS } from "../../sandbox/hetzner/wire/error-status.ts";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer, EMPTY } from "../support/converged.ts";
import { keepServices } from "../support/core.ts";
import type { SandboxStack } from "../support/stack.ts";

// Hetzner answers one call of an `up`, then one of a `destroy`, with one of its error codes. Whatever the code: an error
// names a way out, the next run converges, and a run that succeeds leaves nothing behind.

const MINUTE = 60_000;
const STACK = ["--stack", "sandbox"];
/** The server and what belongs to it, without what is done on it. */
const SERVER = ["--", ...["vps", "vps-*", "host", "host-docker"].flatMap((name) => ["--target", `**::${name}`])];
const KINDS = ["servers", "ssh_keys", "primary_ips", "firewalls"] as const;

const UP_CALLS = [
  "POST /v1/ssh_keys",
  "POST /v1/primary_ips",
  "POST /v1/firewalls",
  "POST /v1/servers",
  "GET /v1/servers/",
  "GET /v1/server_types",
  "GET /v1/ssh_keys",
];
const DESTROY_CALLS = [
  "DELETE /v1/servers/",
  "DELETE /v1/primary_ips/",
  "DELETE /v1/firewalls/",
  "DELETE /v1/ssh_keys/",
  "GET /v1/servers",
];
const CODES = Object.keys(ERROR_STATUS);
const round = (code: string, at: number): { code: string; up: string; destroy: string } => ({
  code,
  up: UP_CALLS[at % UP_CALLS.length] ?? "",
  destroy: DESTROY_CALLS[at % DESTROY_CALLS.length] ?? "",
});
const ONE_EACH = CODES.map(round);
/** A round takes half a minute: by default every twentieth code at one call of each run. */
const ROUNDS =
  {
    /** Every code at one call of each. */
    all: ONE_EACH,
    /** Every code at every call. */
    each: CODES.flatMap((code) => UP_CALLS.map((_, at) => round(code, at))),
  }[process.env["VPAI_TEST_HETZNER_ERRORS"] ?? ""] ?? ONE_EACH.filter((_, at) => at % 20 === 0);

let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;

beforeAll(async () => {
  server = await ConvergedServer.open(EMPTY);
  ({ checkout, stack } = server);
  await keepServices(checkout, ["node-exporter"]);
}, 30 * MINUTE);

beforeEach(() => checkout.expectVpai(["sandbox", "fault", "clear"]));

afterAll(() => server.close());

/** Names of what exists at Hetzner; what comes and goes with a server left out. */
async function existing(): Promise<Record<string, string[]>> {
  const found = await Promise.all(
    KINDS.map(async (kind) => {
      const entries = await stack.hetzner(kind);
      const own = entries.filter((each) => kind !== "primary_ips" || each.auto_delete !== true);
      return [kind, own.map(({ name }) => name)] as const;
    }),
  );
  return Object.fromEntries(found);
}

const each = (names: readonly string[]): Record<string, readonly string[]> =>
  Object.fromEntries(KINDS.map((kind) => [kind, names]));

/** One run with the fault, which must have struck; then, if it failed, one without. */
async function runTwice(args: readonly string[], code: string, call: string): Promise<void> {
  await checkout.expectVpai(["sandbox", "fault", "hetzner-error", `code=${code}`, `match=${call}`, "times=1"]);
  const { exitCode, output } = await checkout.vpai(args);
  const [, inForce] = (await checkout.expectVpai(["sandbox", "fault"])).split("in force:");
  expect({ call, inForce: inForce?.trim() }).toEqual({ call, inForce: "none" });
  if (exitCode === 0) return;
  expect(output).toMatch(/\n {2}do: /);
  expect(output).not.toMatch(/\n {4}at /);
  await checkout.expectVpai(args);
}

test.each(ROUNDS)(
  "$code at `$up` of an up, and at `$destroy` of a destroy",
  async ({ code, up, destroy }) => {
    await runTwice(["up", ...STACK, ...SERVER], code, up);
    expect(await existing()).toEqual(each(["vpai-sandbox"]));
    await runTwice(["destroy", ...STACK], code, destroy);
    expect(await existing()).toEqual(each([]));
  },
  4 * MINUTE,
);

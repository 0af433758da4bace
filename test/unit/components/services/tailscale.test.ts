import { expect, test } from "@jest/globals";
import type { ServiceContext } from "../../../../components/service/model/context.ts";
import { filesOf } from "../../../../components/service/plan/files.ts";
import { tailscale } from "../../../../components/services/tailscale/service.ts";
import { testContext } from "../../../support/context.ts";

const context = testContext();
const having = (vpn: Partial<ServiceContext["settings"]["vpn"]>): ServiceContext => ({
  ...context,
  settings: { ...context.settings, providedSecrets: ["vpnAuthKey"], vpn: { ...context.settings.vpn, ...vpn } },
});
const own = having({ host: true });
const other = having({ controlUrl: "https://vpn.example.com" });
const environment = (of: ServiceContext): Readonly<Record<string, string>> => tailscale.environment?.(of) ?? {};

test("it is there with a VPN alone", () => {
  expect([context, own, other].map(({ settings }) => tailscale.enabled?.(settings))).toEqual([false, true, true]);
});

test("the server joins its own control server over its loopback, with a key that was made on it", () => {
  const { TS_AUTHKEY, TS_EXTRA_ARGS, TS_STATE_DIR } = environment(own);
  expect({ TS_AUTHKEY, TS_EXTRA_ARGS, TS_STATE_DIR }).toEqual({
    TS_AUTHKEY: "file:/var/lib/tailscale/own/authkey",
    TS_EXTRA_ARGS: "--login-server=http://127.0.0.1:8085 --netfilter-mode=off",
    TS_STATE_DIR: "/var/lib/tailscale/own",
  });
  expect(filesOf(tailscale, own)).toEqual([]);
  expect(tailscale.prepare?.(own)?.create).toBe("sudo -n python3 -I - server owner tag:server 100.64.0.1 own");
});

test("another control server gets the owner's key by file, and a state of its own", () => {
  const { TS_AUTHKEY, TS_EXTRA_ARGS, TS_STATE_DIR } = environment(other);
  expect({ TS_AUTHKEY, TS_EXTRA_ARGS }).toEqual({
    TS_AUTHKEY: "file:/etc/vpai/authkey",
    TS_EXTRA_ARGS: "--login-server=https://vpn.example.com --netfilter-mode=off",
  });
  expect(TS_STATE_DIR).toMatch(/^\/var\/lib\/tailscale\/[0-9a-f]{16}$/);
  expect(environment(having({ controlUrl: "https://vpn.example.org" }))["TS_STATE_DIR"]).not.toBe(TS_STATE_DIR);
  const files = filesOf(tailscale, other).map(({ path, content }) => [path, content(other, (secret) => `<${secret}>`)]);
  expect(files).toEqual([["authkey", "<settings-vpnAuthKey>\n"]]);
  expect(tailscale.prepare?.(other)?.create).toBe("sudo -n python3 -I - alone");
});

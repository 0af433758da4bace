import { describe, expect, test } from "@jest/globals";
import { secretsOfFiles } from "../../../../components/service/plan/secrets.ts";
import { grafana } from "../../../../components/services/grafana/service.ts";
import { testContext } from "../../../support/context.ts";
import { dashboard } from "../../../support/monitoring/sample.ts";

const context = testContext({ requirements: { ...testContext().requirements, dashboards: [dashboard] } });
const environment = (): Readonly<Record<string, string>> => grafana.environment?.(context) ?? {};

test("no secret is in its environment: the environment says in which files they are", () => {
  expect(secretsOfFiles(grafana, context)).toEqual(["grafana-admin-password", "grafana-secret-key"]);
  expect(environment()).toMatchObject({
    GF_SECURITY_ADMIN_PASSWORD__FILE: "/etc/vpai/secrets/admin-password",
    GF_SECURITY_SECRET_KEY__FILE: "/etc/vpai/secrets/secret-key",
  });
  expect(Object.keys(environment()).filter((name) => /(PASSWORD|KEY)$/.test(name))).toEqual([]);
});

test("both are made once: a new password would not be read, a new key would read nothing", () => {
  expect(Object.values(grafana.secrets ?? {}).map(({ permanent }) => permanent)).toEqual([true, true]);
});

test("P23: Grafana has a host name of its own, and no path that a proxy could strip", () => {
  expect(environment()).toMatchObject({
    GF_SERVER_ROOT_URL: "https://grafana.ai.example.com/",
    GF_SERVER_SERVE_FROM_SUB_PATH: "false",
  });
  expect(grafana.route).toMatchObject({ subdomain: "grafana", audience: "vpn", denyPaths: ["/metrics"] });
});

describe("Grafana 13", () => {
  test("leaves the data sources of its image alone, which it cannot replace on a read-only file system", () => {
    expect(environment()).toMatchObject({ GF_PLUGINS_PREINSTALL_DISABLED: "true" });
    expect(grafana.readOnly ?? true).toBe(true);
  });

  test("loads both data sources that are used, and runs no process for the others", () => {
    const off = environment()["GF_PLUGINS_DISABLE_PLUGINS"]?.split(",") ?? [];
    expect(off).toContain("elasticsearch");
    expect(off).not.toContain("prometheus");
    expect(off).not.toContain("loki");
  });

  test("does not compress: its compressors hold on to memory", () => {
    expect(environment()).toMatchObject({ GF_SERVER_ENABLE_GZIP: "false" });
  });
});

test("nobody signs up, nobody looks without an account, and nothing is told to the makers", () => {
  expect(environment()).toMatchObject({
    GF_USERS_ALLOW_SIGN_UP: "false",
    GF_AUTH_ANONYMOUS_ENABLED: "false",
    GF_ANALYTICS_REPORTING_ENABLED: "false",
    GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
  });
});

test("P17: its health check says 127.0.0.1", () => {
  expect(grafana.health.test.at(-1)).toBe("http://127.0.0.1:3000/api/health");
});

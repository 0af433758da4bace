import { expect, test } from "@jest/globals";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { planFiles } from "../../../../components/service/plan/files.ts";
import { revealFrom } from "../../../../components/service/plan/secrets.ts";
import { postgresExporter } from "../../../../components/services/postgres-exporter/service.ts";
import { testContext } from "../../../support/context.ts";

test("P41: it has a role of its own, which may look at every statistic and at no data", () => {
  expect(postgresExporter.database).toEqual({ name: "postgres_exporter", memberOf: ["pg_monitor"] });
});

test("its password is in a file that it alone reads, and nowhere else", () => {
  const secrets = revealFrom({ "postgres-exporter-database": "Secret1" });
  expect(planFiles(postgresExporter, testContext(), "x", secrets)).toMatchObject({
    owner: [65534, 65534],
    config: { files: [{ path: "secrets/database", mode: "0400", content: "Secret1" }] },
  });
  expect(planContainer(postgresExporter, testContext({ timezone: "UTC" })).envs).toEqual([
    "DATA_SOURCE_PASS_FILE=/etc/vpai/secrets/database",
    "DATA_SOURCE_URI=postgresql:5432/postgres_exporter?sslmode=disable",
    "DATA_SOURCE_USER=postgres_exporter",
    "GOMEMLIMIT=40MiB",
    "TZ=UTC",
  ]);
});

test("it stays healthy while PostgreSQL is away: that is an alert's to say", () => {
  expect(postgresExporter.health.test.at(-1)).toBe("http://127.0.0.1:9187/");
  expect(postgresExporter.alerts.map(({ expr }) => expr)).toContain("pg_up == 0");
});

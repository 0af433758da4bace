import { describe, expect, test } from "@jest/globals";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { planFiles } from "../../../../components/service/plan/files.ts";
import { revealFrom, secretsOfFiles } from "../../../../components/service/plan/secrets.ts";
import { alloy } from "../../../../components/services/alloy/service.ts";
import { testContext } from "../../../support/context.ts";
import { scrapes } from "../../../support/monitoring/sample.ts";

const context = testContext({
  requirements: { ...testContext().requirements, scrapes: [...scrapes, ...scrapes.slice(1)] },
});

describe("files", () => {
  test("two scrapes with one token need one file", () => {
    expect(secretsOfFiles(alloy, context)).toEqual(["qdrant-read-key"]);
    expect(planFiles(alloy, context, "x", revealFrom({ "qdrant-read-key": "t" })).config?.files).toHaveLength(2);
  });
});

test("its command reads that file and keeps its state in its data", () => {
  const { command, mounts } = planContainer(alloy, context);
  expect(command).toEqual([
    "run",
    "--server.http.listen-addr=0.0.0.0:12345",
    "--storage.path=/var/lib/alloy/data",
    "--disable-reporting",
    "/etc/vpai/config.alloy",
  ]);
  expect(mounts).toEqual([
    { source: "/opt/vpai/data/alloy", target: "/var/lib/alloy/data", readOnly: false },
    { source: "/opt/vpai/config/alloy", target: "/etc/vpai", readOnly: true },
  ]);
});

test("P16: Alloy is asked whether it is ready, by the bash that its image has, and not whether it lives", () => {
  const check = alloy.health.test.join(" ");
  expect(check).toContain("/dev/tcp/127.0.0.1/12345");
  expect(check).toContain("GET /-/ready");
  expect(check).not.toMatch(/wget|curl|kill/);
});

test("the Docker socket is not in it: it reads through the proxy", () => {
  expect(alloy.hostMounts).toBeUndefined();
  expect(alloy.needs).toContain("socket-proxy");
});

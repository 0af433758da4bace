import { expect, test } from "@jest/globals";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { planFiles } from "../../../../components/service/plan/files.ts";
import { revealFrom } from "../../../../components/service/plan/secrets.ts";
import { victoriametrics } from "../../../../components/services/victoriametrics/service.ts";
import { testContext } from "../../../support/context.ts";

test("keeps samples for as long as the settings say", () => {
  const context = testContext();
  const settings = { ...context.settings, retention: { metricsDays: 90, logsDays: 1 } };
  expect(planContainer(victoriametrics, { ...context, settings }).command).toEqual([
    "-storageDataPath=/storage",
    "-retentionPeriod=90d",
    "-httpListenAddr=:8428",
    "-storage.minFreeDiskSpaceBytes=1GB",
  ]);
});

test("P15: it runs as nobody, and its directory is nobody's", () => {
  expect(planContainer(victoriametrics, testContext())).toMatchObject({
    user: "65534:65534",
    readOnly: true,
    capabilityAdds: [],
    mounts: [{ source: "/opt/vpai/data/victoriametrics", target: "/storage", readOnly: false }],
  });
  expect(planFiles(victoriametrics, testContext(), "x", revealFrom({}))).toMatchObject({
    owner: [65534, 65534],
    data: [{ path: "/opt/vpai/data/victoriametrics", mode: "0700" }],
  });
});

test("P17: its health is asked at 127.0.0.1", () => {
  expect(victoriametrics.health.test).toEqual(["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8428/health"]);
});

test("it is scraped itself, and what it lacks has a reason", () => {
  expect(victoriametrics.metrics).toEqual({});
  expect(victoriametrics.backup).toEqual({ reason: expect.stringMatching(/history/) });
});

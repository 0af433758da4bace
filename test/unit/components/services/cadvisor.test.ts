import { describe, expect, test } from "@jest/globals";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { cadvisor } from "../../../../components/services/cadvisor/service.ts";
import { testContext } from "../../../support/context.ts";

const plan = planContainer(cadvisor, testContext());
const [dashboard] = cadvisor.dashboards;
const exprs = [
  ...cadvisor.alerts.map(({ expr }) => expr),
  ...(dashboard?.panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)) ?? []),
];

test("P31: restarts are changes of the start time; a counter of them does not exist", () => {
  expect(exprs.join("\n")).not.toContain("restart_count");
  expect(cadvisor.alerts.find(({ name }) => name === "ContainerRestarting")).toMatchObject({
    expr: expect.stringMatching(/changes\(container_start_time_seconds\{.*\}\[15m\]\)\) > 3$/),
    severity: "critical",
  });
});

test("P31: every expression keeps to containers that have a name", () => {
  for (const expr of exprs) expect(expr).toContain('container_label_vpai_service!=""}');
});

describe("P32", () => {
  test("it sees the control groups of all, the real socket, and the host's files, each read-only", () => {
    expect(plan.cgroupHost).toBe(true);
    expect(plan.mounts).toEqual([
      { source: "/", target: "/rootfs", readOnly: true },
      { source: "/var/run/docker.sock", target: "/var/run/docker.sock", readOnly: true },
      { source: "/sys", target: "/sys", readOnly: true },
      { source: "/var/lib/docker", target: "/var/lib/docker", readOnly: true },
    ]);
  });

  test("that it lists no container is an alert of its own", () => {
    expect(cadvisor.alerts.find(({ name }) => name === "ContainersUnseen")).toMatchObject({
      expr: 'absent(container_last_seen{container_label_vpai_service!=""})',
      severity: "critical",
    });
  });
});

test("it is root by number alone: every right of root is dropped, and it says why it needs the number", () => {
  expect([plan.user, plan.capabilityAdds, plan.readOnly]).toEqual(["0:0", [], true]);
  expect(cadvisor.user.rootReason).toMatch(/root/);
});

test("it makes few series: one label, four kinds of metrics, every half minute", () => {
  expect(plan.command).toEqual([
    "--docker_only=true",
    "--store_container_labels=false",
    "--whitelisted_container_labels=vpai.service",
    "--enable_metrics=cpu,memory,network,diskIO",
    "--housekeeping_interval=30s",
    "--allow_dynamic_housekeeping=false",
    "--storage_duration=1m",
  ]);
});

test("P17: its health is asked at 127.0.0.1", () => {
  expect(cadvisor.health.test).toEqual(["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/healthz"]);
});

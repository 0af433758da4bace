import { expect, test } from "@jest/globals";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { socketProxy } from "../../../../components/services/socket-proxy/service.ts";
import { testContext } from "../../../support/context.ts";

const plan = planContainer(socketProxy, testContext());

test("it opens what Alloy asks for, and closes what could change anything", () => {
  expect(plan.envs.filter((line) => /=[01]$/.test(line))).toEqual([
    "ALLOW_LOGS=1",
    "CONTAINERS=1",
    "DISABLE_IPV6=1",
    "EVENTS=1",
    "INFO=1",
    "NETWORKS=1",
    "PING=1",
    "POST=0",
    "VERSION=1",
  ]);
});

test("it sees the socket read-only, on a network for it alone, as a root that may do nothing", () => {
  expect(plan.mounts).toEqual([{ source: "/var/run/docker.sock", target: "/var/run/docker.sock", readOnly: true }]);
  expect([plan.networks, plan.ports, plan.capabilityAdds, plan.readOnly]).toEqual([["socket"], [], [], true]);
  expect(socketProxy.user.rootReason).toContain("group whose number differs");
});

test("P17: the proxy is asked at 127.0.0.1, through to the daemon", () => {
  expect(socketProxy.health.test).toEqual(["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:2375/_ping"]);
});

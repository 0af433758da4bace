import { expect, test } from "@jest/globals";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { nodeExporter } from "../../../../components/services/node-exporter/service.ts";
import { testContext } from "../../../support/context.ts";

const plan = planContainer(nodeExporter, testContext());
const flag = (name: string): string =>
  plan.command?.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";

test("reads the server's files, read-only, where its flags look for them", () => {
  expect(plan.mounts).toEqual([
    { source: "/proc", target: "/host/proc", readOnly: true },
    { source: "/sys", target: "/host/sys", readOnly: true },
    { source: "/", target: "/host/root", readOnly: true },
  ]);
  expect(plan.command).toEqual(
    expect.arrayContaining(["--path.procfs=/host/proc", "--path.sysfs=/host/sys", "--path.rootfs=/host/root"]),
  );
  expect([plan.user, plan.capabilityAdds]).toEqual(["65534:65534", []]);
});

test("tells nothing that would be of its own container: its network, its name", () => {
  expect(plan.command).toContain("--collector.disable-defaults");
  expect(plan.command?.filter((word) => /^--collector\.\w+$/.test(word))).toEqual(
    ["cpu", "diskstats", "filefd", "filesystem", "loadavg", "meminfo", "os", "stat", "textfile", "vmstat"].map(
      (name) => `--collector.${name}`,
    ),
  );
});

test.each([
  ["/", false],
  ["/home", false],
  ["/boot", false],
  ["/boot/efi", true],
  ["/mnt/HC_Volume_1", false],
  ["/run", true],
  ["/run/user/1000", true],
  ["/etc/hosts", true],
  ["/processes", false],
  ["/var/lib/docker", false],
  ["/var/lib/docker/overlay2/0a/merged", true],
])("the mount %s is left out: %s", (mount, out) => {
  expect(new RegExp(flag("--collector.filesystem.mount-points-exclude")).test(mount)).toBe(out);
});

test.each([
  ["ext4", false],
  ["xfs", false],
  ["overlay", false],
  ["tmpfs", true],
  ["cgroup2", true],
  ["fuse.lxcfs", true],
])("file systems of the type %s are left out: %s", (type, out) => {
  expect(new RegExp(flag("--collector.filesystem.fs-types-exclude")).test(type)).toBe(out);
});

test("the predecessor's alerts on CPU, memory and disk are there, at its thresholds", () => {
  const { alerts } = nodeExporter;
  const of = (name: string) => alerts.find((alert) => alert.name === name);
  expect([of("CpuHigh")?.expr, of("CpuHigh")?.forMinutes]).toEqual([expect.stringMatching(/ > 80$/), 5]);
  expect([of("MemoryHigh")?.expr, of("MemoryHigh")?.forMinutes]).toEqual([expect.stringMatching(/ > 85$/), 5]);
  expect([of("DiskFull")?.expr, of("DiskFull")?.severity]).toEqual([expect.stringMatching(/ > 90$/), "critical"]);
});

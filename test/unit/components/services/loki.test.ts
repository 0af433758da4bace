import { describe, expect, test } from "@jest/globals";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { filesOf } from "../../../../components/service/plan/files.ts";
import { memoryMb } from "../../../../components/service/plan/memory.ts";
import { revealFrom } from "../../../../components/service/plan/secrets.ts";
import { loki } from "../../../../components/services/loki/service.ts";
import { testContext } from "../../../support/context.ts";

const configOf = (context = testContext({ size: "standard" })): string => {
  const [file] = filesOf(loki, context);
  if (file === undefined) throw new Error("no file");
  // No secret is known here: the file has none.
  return file.content(context, revealFrom({}));
};

test("its file is where its command looks for it", () => {
  expect(loki.command).toContain(`-config.file=${loki.configDir}/${filesOf(loki, testContext())[0]?.path}`);
});

describe("P16", () => {
  test("Loki is asked by its own program: its image has no shell", () => {
    expect(loki.health.test).toEqual(["CMD", "/usr/bin/loki", "-health"]);
  });

  test("every ring is in memory, says 127.0.0.1 and looks for nobody", () => {
    const text = configOf();
    expect(text.match(/store: (?!tsdb|filesystem)\S+/g)).toEqual(["store: inmemory", "store: inmemory"]);
    expect(text.match(/(instance_addr|address): \S+/g)).toEqual([
      "address: 127.0.0.1",
      "instance_addr: 127.0.0.1",
      "instance_addr: 127.0.0.1",
      "address: 127.0.0.1",
    ]);
    expect(text).toContain("memberlist:\n  join_members: []\n");
    expect(loki.command).toContain("-target=all");
  });

  test("the write-ahead log lies where the container's user may write", () => {
    expect(configOf()).toContain("    dir: /loki/wal\n");
    expect(loki.data).toEqual([{ path: "", target: "/loki" }]);
  });
});

test("P15: its data belongs to the account of the image", () => {
  expect(planContainer(loki, testContext()).user).toBe("10001:10001");
});

test("old lines are really deleted: retention is nothing without the compactor and its store of requests", () => {
  expect(configOf()).toMatch(/compactor:\n(?: {2}.*\n)*? {2}retention_enabled: true\n/);
  expect(configOf()).toMatch(/compactor:\n(?: {2}.*\n)*? {2}delete_request_store: filesystem\n/);
});

test("what Go may use is below what the container may", () => {
  const heap = Number(/^(\d+)MiB$/.exec(loki.environment?.(testContext())["GOMEMLIMIT"] ?? "")?.[1]);
  // Its program has 157 MB; some 15 of them are hardly ever used.
  expect(memoryMb(loki, "small").limit - heap).toBeGreaterThanOrEqual(128);
});

import { expect, test } from "@jest/globals";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { planFiles } from "../../../../components/service/plan/files.ts";
import { collectRequirements } from "../../../../components/service/plan/requirements.ts";
import { revealFrom } from "../../../../components/service/plan/secrets.ts";
import { redisExporter } from "../../../../components/services/redis-exporter/service.ts";
import { testContext } from "../../../support/context.ts";

test("P12: its account may ask for statistics, and touches no key", () => {
  expect(collectRequirements([redisExporter], {}).cacheUsers).toEqual([
    {
      service: "redis-exporter",
      password: "redis-exporter-cache",
      keys: [],
      rules: ["-@all", "+info", "+client|setname", "+slowlog|len", "+slowlog|get", "+latency|latest"],
    },
  ]);
});

test("its password is in a file that it alone reads, by the address with the account's name", () => {
  const plan = planFiles(redisExporter, testContext(), "x", revealFrom({ "redis-exporter-cache": 'Se"cret' }));
  expect(plan.owner).toEqual([59000, 59000]);
  const [file] = plan.config?.files ?? [];
  expect([file?.path, file?.mode]).toEqual(["secrets/passwords.json", "0400"]);
  expect(JSON.parse(file?.content ?? "")).toEqual({ "redis://redis-exporter@redis:6379": 'Se"cret' });
});

test("it is told where Redis is and who it is, and reads no configuration", () => {
  const { envs, command } = planContainer(redisExporter, testContext({ timezone: "UTC" }));
  expect(envs).toEqual([
    "GOMEMLIMIT=27MiB",
    "REDIS_ADDR=redis://redis:6379",
    "REDIS_PASSWORD_FILE=/etc/vpai/secrets/passwords.json",
    "REDIS_USER=redis-exporter",
    "TZ=UTC",
  ]);
  expect(command).toContain("-config-command=-");
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer, LIGHT } from "../support/converged.ts";
import { DEFAULT_SERVICES, keepServices } from "../support/core.ts";
import { expectRefusal } from "../support/refusals.ts";
import type { SandboxStack } from "../support/stack.ts";

// Services brought up, changed, disabled and purged one at a time, and images that are not available. Each test takes
// a converged server without the products that are slow to start.

const MINUTE = 60_000;
const FEW = ["caddy", "node-exporter", "postgres-exporter", "postgresql", "redis"];
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;

const keep = (services: readonly string[]): Promise<void> => keepServices(checkout, services);

const only = (...services: readonly string[]): string[] => ["up", "--stack", "sandbox", "--only", services.join(",")];
const fault = (...words: readonly string[]): Promise<string> => checkout.expectVpai(["sandbox", "fault", ...words]);
const limitsOf = (...containers: readonly string[]): Promise<number[]> =>
  Promise.all(
    containers.map(async (name) =>
      Number(await stack.onServer(`docker inspect -f '{{.HostConfig.PidsLimit}}' ${name}`)),
    ),
  );
const sql = (query: string): Promise<string> =>
  stack.onServer(`docker exec postgresql psql --username postgres -Atc "${query}"`);
const databases = (): Promise<string> => sql("select datname from pg_database where datname = 'postgres_exporter'");

beforeAll(async () => {
  server = await ConvergedServer.open(LIGHT);
  ({ checkout, stack } = server);
}, 30 * MINUTE);

beforeEach(() => server.resetUnlessHealthy(), 5 * MINUTE);

afterEach(() => fault("clear"), MINUTE);

afterAll(() => server.close());

test(
  "the first `up` asks the registries for every image, and one without a new image for none",
  async () => {
    const count = new Set(DEFAULT_SERVICES.map(({ image }) => image.pin)).size;
    expect(server.first.output).toContain(`images: ${count} of ${count} are new, and found at the sandbox's registry`);
    await fault("registry-down");
    expect(await checkout.expectVpai(["up", "--stack", "sandbox"])).toContain("no changes");
  },
  2 * MINUTE,
);

test(
  "a missing new image, and a registry that is busy, stop the run before anything is touched",
  async () => {
    const before = await stack.containers();
    const [pin = ""] =
      /docker\.io\/library\/redis:[^"]+/.exec(await readFile(join(checkout.dir, "components/images.ts"), "utf8")) ?? [];
    const tag = /:([^@]+)@/.exec(pin)?.[1] ?? "";
    const other = pin.replace(tag, "8.99.0-bookworm");
    await checkout.edit("components/images.ts", (text) => text.replace(pin, other));
    await fault("dead-tag", "image=library/redis:8.99.0-bookworm");
    const gone = await checkout.vpai(["start"]);
    await fault("clear");
    await fault("registry-429", "retryAfter=3600");
    const busy = await checkout.vpai(["up", "--stack", "sandbox"]);
    await fault("clear");
    await checkout.edit("components/images.ts", (text) => text.replace(other, pin));
    expectRefusal(gone, [
      "image of redis: docker.io/library/redis:8.99.0-bookworm@",
      "not found: manifest unknown",
      "do:",
    ]);
    expectRefusal(busy, ["registry docker.io: 429 too many requests; retry after 3600 s", "do:"]);
    for (const { output } of [gone, busy]) expect(output).not.toContain("replaced");
    expect(await stack.containers()).toEqual(before);
    expect(await checkout.expectVpai(["start"])).toContain("Stack is up to date");
  },
  3 * MINUTE,
);

test(
  "`--only` changes its service alone, whatever else would change",
  async () => {
    const both = ["caddy", "redis"];
    const [caddy = 0, redis = 0] = await limitsOf(...both);
    for (const name of both) {
      await checkout.edit(`components/services/${name}/service.ts`, (text) =>
        text.replace(/pids: (\d+)/, (_, limit: string) => `pids: ${Number(limit) + 8}`),
      );
    }
    await checkout.expectVpai(only("redis"));
    expect(await limitsOf(...both)).toEqual([caddy, redis + 8]);
    await checkout.expectVpai(["up", "--stack", "sandbox"]);
    expect(await limitsOf(...both)).toEqual([caddy + 8, redis + 8]);
  },
  5 * MINUTE,
);

test(
  "a service that is taken out goes, its data stays until it is purged by name, and it comes back alone with what it needs",
  async () => {
    await keep(FEW);
    await checkout.expectVpai(["up", "--stack", "sandbox"]);
    expectRefusal(await checkout.vpai(["purge", "--stack", "sandbox", "--service", "postgres-exporter", "--yes"]), [
      "--service: postgres-exporter, which stack sandbox has",
      "do:",
    ]);
    const before = await stack.containers();
    await keep(FEW.filter((name) => name !== "postgres-exporter"));
    const purge = ["purge", "--stack", "sandbox", "--service", "postgres-exporter", "--database", "postgres_exporter"];
    expectRefusal(await checkout.vpai([...purge, "--yes"]), ["in use by container postgres-exporter", "do:"]);

    await checkout.expectVpai(["up", "--stack", "sandbox"]);
    const { "postgres-exporter": _gone, ...rest } = before;
    expect(await stack.containers()).toEqual(rest);
    expect(await databases()).toBe("postgres_exporter");
    expectRefusal(await checkout.vpai(purge), ["stdin is not a terminal; cannot ask for confirmation", "--yes"]);
    expect(await databases()).toBe("postgres_exporter");

    expect(await checkout.expectVpai([...purge, "--yes"])).toContain("nothing of postgres-exporter is left");
    expect(await databases()).toBe("");
    expect(await stack.onServer("ls /opt/vpai/data /opt/vpai/config")).not.toContain("postgres-exporter");
    expect(await stack.containers()).toEqual(rest);

    await keep(FEW);
    await checkout.expectVpai(only("postgres-exporter"));
    const { "postgres-exporter": added, ...others } = await stack.containers();
    expect([typeof added, others]).toEqual(["string", rest]);
    expect(await databases()).toBe("postgres_exporter");
    expect(await checkout.expectVpai(["up", "--stack", "sandbox"])).toContain("no changes");
  },
  6 * MINUTE,
);

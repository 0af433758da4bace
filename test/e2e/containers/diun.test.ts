import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { diun } from "../../../components/services/diun/service.ts";
import { images } from "../../../components/images.ts";
import { testContext } from "../../support/context.ts";
import { until } from "../../support/until.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { docker, logs, openBench } from "../../sandbox/images/container-harness.ts";
import type { PublicRegistry } from "../../sandbox/images/public-registry.ts";
import { openPublicRegistry } from "../../sandbox/images/public-registry.ts";
import { startAsDefined } from "./docker-run-args.ts";

const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const context = testContext();
const watch = (service: keyof typeof images, tag: string, repository: string) => ({
  service,
  repository,
  tag,
  versions: images[service].versions,
});
const requirements = {
  ...context.requirements,
  images: [
    watch("qdrant", "v1.19.2", "docker.io/qdrant/qdrant"),
    watch("postgresql", "0.8.7-pg18-bookworm", "docker.io/pgvector/pgvector"),
    watch("openclaw", "2026.9.9", "ghcr.io/openclaw/openclaw"),
    watch("diun", "4.33.0", "docker.io/crazymax/diun"),
  ],
};
let bench: Bench;
let registry: PublicRegistry;
let container: string;

beforeAll(async () => {
  bench = await openBench([diun.image.pin]);
  registry = await openPublicRegistry(bench);
  for (const { repository, tag } of requirements.images) await registry.tag(repository.replace(/^[^/]+\//, ""), tag);
  await registry.tag("qdrant/qdrant", "v1.9.7");
  container = await startAsDefined(bench, diun, {
    context: { ...context, requirements },
    host: { [BUNDLE]: registry.caFile },
    options: registry.options,
  });
}, 300_000);
afterAll(async () => {
  await registry.close();
  await bench.clear();
});

/** The lines that its script wrote, each about one version. */
const reports = async (): Promise<{ service: string; message: string }[]> =>
  (await logs(container))
    .split("\n")
    .filter((line) => line.includes('"deployed":'))
    .map((line) => JSON.parse(line) as { service: string; message: string });

test("it knows the deployed versions and has nothing to report of them", async () => {
  for (const check of diun.smoke) {
    if (!("exec" in check)) throw new Error("asked from outside");
    const answered = await until(check.name, 60_000, async () => {
      const text = await bench.exec(container, ...check.exec);
      return check.prints.test(text) ? text : undefined;
    });
    expect(answered).toMatch(check.prints);
  }
  await until("its end", 60_000, async () => ((await logs(container)).includes("Jobs completed") ? true : undefined));
  expect(await reports()).toEqual([]);
});

test("it reports newer versions of digest-pinned images, and no others that came beside them", async () => {
  await registry.tag("qdrant/qdrant", "v1.19.10");
  await registry.tag("qdrant/qdrant", "v1.19.1");
  await registry.tag("qdrant/qdrant", "v1.20.0-rc1");
  await registry.tag("pgvector/pgvector", "0.8.8-pg18-bookworm");
  await registry.tag("pgvector/pgvector", "0.8.8-pg19-bookworm");
  await registry.tag("openclaw/openclaw", "2026.10.1");
  const rebuilt = await registry.tag("crazymax/diun", "4.33.0", "with another Alpine");
  await docker("restart", container);
  await until("four reports", 30_000, async () => ((await reports()).length >= 4 ? true : undefined));
  await until("its end", 30_000, async () =>
    (await logs(container)).split("Jobs completed").length > 2 ? true : undefined,
  );
  expect((await reports()).sort((a, b) => a.service.localeCompare(b.service))).toEqual([
    {
      level: "warn",
      service: "diun",
      image: "docker.io/crazymax/diun:4.33.0",
      deployed: "4.33.0",
      message: `the deployed version was rebuilt: 4.33.0 is now ${rebuilt}`,
    },
    {
      level: "warn",
      service: "openclaw",
      image: "ghcr.io/openclaw/openclaw:2026.10.1",
      deployed: "2026.9.9",
      message: "a newer version is out: 2026.10.1",
    },
    {
      level: "warn",
      service: "postgresql",
      image: "docker.io/pgvector/pgvector:0.8.8-pg18-bookworm",
      deployed: "0.8.7-pg18-bookworm",
      message: "a newer version is out: 0.8.8-pg18-bookworm",
    },
    {
      level: "warn",
      service: "qdrant",
      image: "docker.io/qdrant/qdrant:v1.19.10",
      deployed: "v1.19.2",
      message: "a newer version is out: v1.19.10",
    },
  ]);
});

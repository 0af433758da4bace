import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { planFiles } from "../../../../components/service/plan/files.ts";
import { revealFrom } from "../../../../components/service/plan/secrets.ts";
import { diun } from "../../../../components/services/diun/service.ts";
import { testContext } from "../../../support/context.ts";

const versions = String.raw`^\d+\.\d+\.\d+-pg18-bookworm$`;
const requirements = {
  ...testContext().requirements,
  images: [
    { service: "postgresql", repository: "docker.io/pgvector/pgvector", tag: "0.8.7-pg18-bookworm", versions },
    { service: "litellm", repository: "ghcr.io/berriai/litellm", tag: "v1.102.1", versions: String.raw`^v\d+$` },
  ],
};
const context = testContext({ requirements });
const file = (path: string): string =>
  planFiles(diun, context, diun.image.pin, revealFrom({})).config?.files.find((each) => each.path === path)?.content ??
  "";

test("it looks every six hours, not at one instant, and waits for no registry for ever", () => {
  expect(parse(file("diun.yml"))).toEqual({
    db: { path: "/data/diun.db" },
    watch: { schedule: "0 */6 * * *", jitter: "10m", firstCheckNotif: false },
    regopts: [
      { name: "docker.io", selector: "image", timeout: "5m" },
      { name: "ghcr.io", selector: "image", timeout: "5m" },
      { name: "quay.io", selector: "image", timeout: "5m" },
    ],
    notif: { script: { cmd: "sh", args: ["/etc/vpai/report.sh"] } },
    providers: { file: { filename: "/etc/vpai/images.yml" } },
  });
});

test("it watches whole repositories for tags of the deployed kind, by name and without the digest", () => {
  expect(file("images.yml")).toBe(String.raw`- name: docker.io/pgvector/pgvector:0.8.7-pg18-bookworm
  watch_repo: true
  sort_tags: semver
  max_tags: 3
  include_tags:
    - '^\d+\.\d+\.\d+-pg18-bookworm$'
  metadata:
    service: postgresql
    deployed: '0.8.7-pg18-bookworm'
- name: ghcr.io/berriai/litellm:v1.102.1
  watch_repo: true
  sort_tags: semver
  max_tags: 3
  include_tags:
    - '^v\d+$'
  metadata:
    service: litellm
    deployed: 'v1.102.1'
`);
});

test("P34: DIUN's regular expressions survive YAML", () => {
  const read = parse(file("images.yml")) as { include_tags: string[] }[];
  expect(read.map(({ include_tags }) => include_tags)).toEqual([[versions], [String.raw`^v\d+$`]]);
  expect(file("images.yml")).not.toMatch(/"/);
});

test("nothing to watch is a list of nothing", () => {
  const files = planFiles(diun, testContext(), diun.image.pin, revealFrom({})).config?.files ?? [];
  expect(files.map(({ path, content }) => [path, parse(path.endsWith(".sh") ? "" : content)])).toEqual([
    ["diun.yml", expect.objectContaining({ providers: { file: { filename: "/etc/vpai/images.yml" } } })],
    ["images.yml", []],
    ["report.sh", null],
  ]);
});

test("it never sees Docker, and believes the authorities that the host believes", () => {
  const plan = planContainer(diun, context);
  expect(plan.networks).toEqual(["egress"]);
  expect(plan.mounts.map(({ target }) => target)).toEqual(["/data", "/etc/vpai", "/etc/ssl/certs/ca-certificates.crt"]);
  expect(plan.envs).toContain("SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt");
});

test("P15: DIUN's directory belongs to the user that it runs as", () => {
  const { owner, data } = planFiles(diun, context, diun.image.pin, revealFrom({}));
  expect([owner, data.map(({ path }) => path)]).toEqual([[1000, 1000], ["/opt/vpai/data/diun"]]);
});

test("its health is asked of DIUN itself; what it has seen may come minutes later", () => {
  expect(diun.health.test).toEqual(["CMD", "diun", "healthcheck"]);
  expect(diun.smoke[0].withinSeconds).toBeGreaterThanOrEqual(120);
});

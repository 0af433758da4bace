import { CONFIG_DIR, defineService, healthCheck, notApplicable } from "../../service/presets/index.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { images } from "../../images.ts";
import type { WatchedImage } from "../../service/model/context.ts";
import { alerts, dashboards } from "./monitoring.ts";

/** In single quotes YAML takes a backslash for a backslash (P34). */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * Without a timeout, a registry that takes a request and never answers would hold up every later look. It is of the whole
 * list of a repository's tags: LiteLLM's has some sixty pages, one after the other.
 */
function config(): string {
  // Those of services that are left out too: taking one out must not replace DIUN.
  const registries = [...new Set(Object.values(images).map(({ pin }) => pin.split("/")[0] ?? ""))].sort();
  const timeouts = registries.map((name) => `  - name: ${name}\n    selector: image\n    timeout: 5m\n`).join("");
  return `db:
  path: /data/diun.db
watch:
  schedule: '0 */6 * * *'
  jitter: 10m
  firstCheckNotif: false
regopts:
${timeouts}notif:
  script:
    cmd: sh
    args:
      - ${CONFIG_DIR}/report.sh
providers:
  file:
    filename: ${CONFIG_DIR}/images.yml
`;
}

/**
 * The whole repository of each: a digest-pinned tag by itself never changes, so nothing else would ever be reported.
 * The newest three tags are enough, and Docker Hub gives out a hundred manifests in six hours.
 */
const watched = ({ service, repository, tag, versions }: WatchedImage): string => `- name: ${repository}:${tag}
  watch_repo: true
  sort_tags: semver
  max_tags: 3
  include_tags:
    - ${quoted(versions)}
  metadata:
    service: ${service}
    deployed: ${quoted(tag)}
`;

/** Looks out for newer versions of the images that are deployed. Asks their registries; Docker itself it never sees. */
export const diun = defineService({
  name: "diun",
  image: images.diun,
  networks: ["egress"],
  // Its own commands ask it there.
  internalPorts: [42286],
  user: { uid: 1000, gid: 1000 },
  command: ["serve", "--config", `${CONFIG_DIR}/diun.yml`],
  data: [{ path: "", target: "/data" }],
  trustHostCa: true,
  files: [
    { path: "diun.yml", content: config },
    // Read at every look.
    {
      path: "images.yml",
      live: true,
      content: ({ requirements }) => requirements.images.map(watched).join("") || "[]\n",
    },
    { path: "report.sh", content: () => readFileSync(join(import.meta.dirname, "report.sh"), "utf8") },
  ],
  environment: () => ({
    LOG_JSON: "true",
    // The health check is a second process of the same program, within the same limit.
    GOMEMLIMIT: "32MiB",
  }),
  // It serves before its first look: healthy means that it runs, not that it has seen anything.
  health: healthCheck(["CMD", "diun", "healthcheck"], { startPeriodSeconds: 30, deadlineSeconds: 90 }),
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=8m" },
  pids: 64,
  memory: { requestMb: 80, limitMb: 96 },
  cpus: 0.25,
  metrics: notApplicable("its endpoint would have to be reached from Alloy, and its only network leads outside"),
  alerts,
  dashboards,
  backup: notApplicable(
    "what it has seen of the registries: without it, the next look is a first one and reports nothing",
  ),
  smoke: [
    {
      name: "it has seen the deployed images in their registries",
      exec: ["diun", "image", "list"],
      withinSeconds: 300,
      prints: /docker\.io\/crazymax\/diun\b/,
    },
  ],
  upgrade:
    "Its database is converted at the start and does not go back; without it, the next look is a silent first one.",
});

import type { ServiceDefinition } from "../../components/service/model/definition.ts";
import { serviceSecrets } from "../../components/service/model/secrets.ts";
import { secretFile } from "../../components/service/presets/files.ts";

/** The secrets of {@link sample}. */
export const sampleSecrets = serviceSecrets("app", { key: { permanent: true, length: 64 } });

/** A service that uses nearly every facet, for tests of what reads them. */
export const sample: ServiceDefinition = {
  name: "app",
  image: { pin: "docker.io/x/app:1@sha256:0", versions: String.raw`^\d+$`, notes: "https://example.com/{tag}" },
  networks: ["egress", "backend"],
  port: 8000,
  publish: [{ port: 8443, protocol: "tcp" }],
  user: { uid: 1234, gid: 1235 },
  command: ["serve"],
  data: [
    { path: "", target: "/data" },
    { path: "cache", target: "/cache", mode: "0750" },
  ],
  hostMounts: [{ source: "/sys", target: "/host/sys", why: "it tells of the machine" }],
  configDir: "/etc/app",
  files: [
    { path: "app.conf", mode: "0444", content: ({ domain }) => `domain ${domain}\n` },
    secretFile("key", sampleSecrets.ref.key),
  ],
  environment: ({ domain }) => ({ URL: `https://app.${domain}/` }),
  secrets: sampleSecrets.specs,
  database: { name: "app" },
  health: {
    test: ["CMD", "true"],
    intervalSeconds: 5,
    timeoutSeconds: 2,
    retries: 3,
    startPeriodSeconds: 90,
    deadlineSeconds: 60,
  },
  capabilities: ["CAP_SETUID", "CAP_CHOWN"],
  tmpfs: { "/tmp": "rw" },
  pids: 10,
  memory: { requestMb: { standard: 150, small: 80 }, limitMb: { standard: 200, small: 100 } },
  cpus: 1,
  stopGraceSeconds: 30,
  route: { subdomain: "app", audience: "public", healthPath: "/ready" },
  metrics: { bearer: sampleSecrets.ref.key },
  alerts: [],
  dashboards: [],
  backup: { reason: "nothing is kept" },
  smoke: [{ name: "answers", exec: ["true"], prints: /^$/ }],
  upgrade: "nothing to know",
};

import { chown, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { recorded } from "../../support/monitoring/recorded.ts";
import { type Bench, untilExec } from "./container-harness.ts";

export const grafanaPin = `docker.io/grafana/grafana:13.2.3@sha256:${"0".repeat(64)}`;
export const grafanaLocked = [
  "--cap-drop",
  "ALL",
  "--security-opt",
  "no-new-privileges",
  "--read-only",
  "--user",
  "472:472",
];

/** What the stack sets. */
export const grafanaVariables: Readonly<Record<string, string>> = {
  GF_PATHS_PROVISIONING: "/etc/vpai/provisioning",
  GF_SERVER_ROOT_URL: "https://grafana.ai.example.com/",
  GF_SERVER_SERVE_FROM_SUB_PATH: "false",
  GF_SECURITY_ADMIN_PASSWORD__FILE: "/etc/vpai/secrets/admin-password",
  GF_SECURITY_SECRET_KEY__FILE: "/etc/vpai/secrets/secret-key",
  GF_SECURITY_COOKIE_SECURE: "true",
  GF_ANALYTICS_REPORTING_ENABLED: "false",
  GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
  GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
  GF_PLUGINS_PREINSTALL_DISABLED: "true",
  GF_PLUGINS_DISABLE_PLUGINS: "mysql,tempo",
};

/** What the stack writes below /etc/vpai. */
export const grafanaFiles: Readonly<Record<string, string>> = {
  "provisioning/datasources/vpai.yaml": recorded("datasources.yaml"),
  "provisioning/dashboards/vpai.yaml": recorded("dashboards.yaml"),
  "provisioning/plugins/none.yaml": "apiVersion: 1\n",
  "provisioning/alerting/none.yaml": "apiVersion: 1\n",
  "dashboards/vpai-sample.json": recorded("dashboard.json"),
  "secrets/admin-password": "the-password",
  "secrets/secret-key": "the-key",
};

/** Writes files as the stack does and answers the options of a container that has them. */
export async function grafanaOptions(
  bench: Bench,
  folder: string,
  files: Readonly<Record<string, string>> = grafanaFiles,
  variables: Readonly<Record<string, string>> = grafanaVariables,
): Promise<string[]> {
  const root = join(bench.home, folder);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { mode: 0o400 });
    await chown(join(root, path), 472, 472);
  }
  const env = Object.entries(variables).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  return [...grafanaLocked, "-v", `${root}:/etc/vpai:ro`, ...env];
}

export async function startGrafana(bench: Bench, options: readonly string[]): Promise<string> {
  const container = await bench.start("grafana", grafanaPin, options);
  await untilExec(container, "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/api/health");
  return container;
}

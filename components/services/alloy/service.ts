import {
  secretFile,
  CONFIG_DIR,
  defineService,
  healthCheck,
  notApplicable,
  validateInImage,
} from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { renderAlloyConfig } from "./config.ts";
import type { ServiceContext } from "../../service/model/context.ts";
import type { FileSpec } from "../../service/model/definition.ts";
import type { Argv } from "../../service/model/operations.ts";
import { alerts, dashboards } from "./monitoring.ts";

const SECRETS_DIR = `${CONFIG_DIR}/secrets`;

/** One request by what the image has: bash, and neither wget nor curl. Prints the answer, fails unless it is 200. */
const ask = (request: string): Argv => [
  "bash",
  "-c",
  `exec 3<>/dev/tcp/127.0.0.1/12345 && printf '${request} HTTP/1.0\\r\\n\\r\\n' >&3 && read -r line <&3 && echo "$line" && cat <&3 && [[ $line == *' 200 '* ]]`,
];
const ASK_READY = ask("GET /-/ready");

/** A file for each bearer token that a scrape needs. Alloy reads it at every scrape. */
const tokenFiles = ({ requirements }: ServiceContext): FileSpec[] =>
  [...new Set(requirements.scrapes.flatMap(({ bearer }) => bearer ?? []))].map((token) => ({
    ...secretFile(token, token),
    live: true,
  }));

/** Collects metrics of all services and logs of all containers. */
export const alloy = defineService({
  name: "alloy",
  image: images.alloy,
  networks: ["backend", "monitoring", "socket"],
  port: 12345,
  // The image has this account and starts as root; it needs nothing of root here.
  user: { uid: 473, gid: 473 },
  command: [
    "run",
    "--server.http.listen-addr=0.0.0.0:12345",
    "--storage.path=/var/lib/alloy/data",
    "--disable-reporting",
    `${CONFIG_DIR}/config.alloy`,
  ],
  // What it has read of each log, and samples that are not sent yet.
  data: [{ path: "", target: "/var/lib/alloy/data" }],
  files: (context) => [
    {
      path: "config.alloy",
      live: true,
      content: ({ requirements }) => renderAlloyConfig(requirements.scrapes, SECRETS_DIR),
    },
    ...tokenFiles(context),
  ],
  reload: {
    validate: validateInImage({
      configDir: CONFIG_DIR,
      argv: ["/bin/alloy", "validate", `${CONFIG_DIR}/config.alloy`],
    }),
    argv: ask("POST /-/reload"),
  },
  needs: ["socket-proxy", "loki", "victoriametrics"],
  health: healthCheck(["CMD", ...ASK_READY], { startPeriodSeconds: 30, deadlineSeconds: 120 }),
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=32m" },
  memory: { requestMb: 320, limitMb: { standard: 512, small: 384 } },
  cpus: 0.5,
  metrics: {},
  alerts,
  dashboards,
  backup: notApplicable(
    "it keeps only how far it has read: without that it reads the logs of all containers once more",
  ),
  smoke: [{ name: "Alloy is ready", exec: ASK_READY, prints: /^HTTP\/1\.\d 200 / }],
  upgrade:
    "Minor versions may rename settings: the release notes list them, and Alloy refuses a setting it does not know.",
});

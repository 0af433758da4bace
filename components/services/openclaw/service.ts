import type { FileSpec } from "../../service/model/definition.ts";
import type { Argv } from "../../service/model/operations.ts";
import { llmSecret, serviceSecrets, llmKey, configSecret } from "../../service/model/secrets.ts";
import {
  CONFIG_DIR,
  ENV_FILE,
  envFile,
  withEnvFile,
  defineService,
  healthCheck,
  notApplicable,
} from "../../service/presets/index.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { images } from "../../images.ts";
import { hasTelegram, LITELLM_URL, renderOpenClawConfig, STATE_DIR } from "./config.ts";
import { alerts, dashboards } from "./monitoring.ts";

const HERE = "http://127.0.0.1:18789";

/**
 * Measured with 2026.9.6: 700 MB when it starts, 1000 MB after the first conversation; a command run next to it, such as
 * `openclaw devices approve`, 100 MB. `openclaw dashboard` takes 250 MB, and so has to be run elsewhere.
 */
const LIMIT_MB = 1152;

/** Each of its dozen threads has a heap of its own; the limit is of the largest, which is at 220 MB when idle. */
const NODE_OPTIONS = `--max-old-space-size=${Math.floor(LIMIT_MB / 3)} --max-semi-space-size=4`;

const curl = (rest: string): readonly [string, string, string] => ["sh", "-c", `curl -sS --max-time 4 ${rest}`];
const STATUS = "-o /dev/null -w '%{http_code}'";
/** With Node's own client: curl knows a WebSocket only as an answer that does not end. */
const OPEN_WEBSOCKET =
  `const socket = new WebSocket("${HERE.replace("http", "ws")}/");` +
  `setTimeout(() => process.exit(1), 20_000);` +
  `socket.onopen = () => { console.log("open"); process.exit(0); };` +
  `socket.onerror = ({ message }) => { console.log(message); process.exit(1); };`;

/** The script lies among the service's files, where the host can run it. */
const state = (what: "dump" | "restore"): Argv => [
  "sh",
  "/opt/vpai/config/openclaw/state.sh",
  what,
  "openclaw",
  "/opt/vpai/data/openclaw",
];

const secrets = serviceSecrets("openclaw", { "gateway-token": { permanent: false } });

const files: readonly FileSpec[] = [
  { path: "openclaw.json", content: renderOpenClawConfig },
  {
    path: ENV_FILE,
    content: (context, reveal) =>
      envFile({
        OPENCLAW_GATEWAY_TOKEN: reveal(secrets.ref["gateway-token"]),
        LITELLM_API_KEY: llmKey(reveal(llmSecret("openclaw"))),
        ...(hasTelegram(context) && { TELEGRAM_BOT_TOKEN: reveal(configSecret("openclawTelegramToken")) }),
      }),
  },
  { path: "cli.sh", content: () => readFileSync(join(import.meta.dirname, "cli.sh"), "utf8") },
  { path: "state.sh", content: () => readFileSync(join(import.meta.dirname, "state.sh"), "utf8") },
];

/** The assistant: a gateway that is talked to over a WebSocket and Telegram, and that asks models through LiteLLM. */
export const openclaw = defineService({
  name: "openclaw",
  image: images.openclaw,
  networks: ["backend", "egress"],
  port: 18789,
  user: { uid: 1000, gid: 1000 },
  entrypoint: withEnvFile(CONFIG_DIR, ["openclaw"]),
  command: ["gateway"],
  data: [{ path: "", target: STATE_DIR }],
  trustHostCa: true,
  files,
  environment: () => ({
    HOME: "/home/node",
    OPENCLAW_STATE_DIR: STATE_DIR,
    OPENCLAW_CONFIG_PATH: `${CONFIG_DIR}/openclaw.json`,
    // The file is this program's: OpenClaw neither repairs it at its start nor writes settings into it.
    OPENCLAW_CONFIG_READONLY: "1",
    OPENCLAW_NO_AUTO_UPDATE: "1",
    OPENCLAW_DISABLE_BONJOUR: "1",
    NODE_OPTIONS,
    // 70 MB, which in /tmp would be taken from its memory.
    NODE_COMPILE_CACHE: `${STATE_DIR}/cache/node`,
    MALLOC_ARENA_MAX: "2",
    NO_COLOR: "1",
  }),
  secrets: secrets.specs,
  llm: { dailyBudgetUsd: 3 },
  // P21: any other path is answered 200 with the interface's page, in any state of the gateway.
  health: healthCheck(["CMD-SHELL", `curl -fsS --max-time 4 ${HERE}/startupz | grep -q '"status":"started"'`], {
    startPeriodSeconds: 240,
    deadlineSeconds: 480,
  }),
  tmpfs: {
    "/tmp": "rw,nosuid,size=64m",
    "/home/node/.cache": "rw,nosuid,size=16m,uid=1000,gid=1000",
    "/home/node/.config": "rw,nosuid,size=16m,uid=1000,gid=1000",
  },
  memory: { requestMb: 1000, limitMb: LIMIT_MB },
  // With a channel whose server does not answer it would take 325 s; its databases survive being killed.
  route: { subdomain: "openclaw", audience: "vpn", healthPath: "/healthz", denyPaths: ["/metrics"] },
  metrics: notApplicable(
    "the plugin that exports them is not in the image; cAdvisor reports its use, LiteLLM its requests",
  ),
  alerts,
  dashboards,
  backup: {
    scope: "sessions, the workspace with its notes and memories, paired devices, automations",
    items: [
      {
        name: "state",
        dump: state("dump"),
        restore: state("restore"),
        verify: {
          // It opens its databases before it says that it is ready.
          argv: [
            "docker",
            "exec",
            "openclaw",
            "sh",
            "-c",
            `ls ${STATE_DIR}/state && curl -fsS --max-time 4 ${HERE}/readyz`,
          ],
          expect: /^openclaw\.sqlite$[^]*"ready":true/m,
        },
      },
    ],
  },
  login: (_, reveal) => ({ key: reveal(secrets.ref["gateway-token"]) }),
  smoke: [
    { name: "speaks WebSocket", exec: ["node", "--eval", OPEN_WEBSOCKET], prints: /^open$/m },
    {
      name: "rejects requests without its token",
      exec: curl(`${STATUS} ${HERE}/control-ui-config.json`),
      prints: /^401$/,
    },
    {
      name: "has a key for its models",
      exec: [
        "sh",
        "-c",
        `. ${CONFIG_DIR}/${ENV_FILE} && printf 'Authorization: Bearer %s' "$LITELLM_API_KEY" | ` +
          `curl -fsS --max-time 10 -H @- ${LITELLM_URL}/models`,
      ],
      prints: /"object": ?"list"/,
    },
  ],
  upgrade:
    "Each release has a schema of its own for openclaw.json, and refuses to start over a key that it does not know " +
    "(exit 78): run `openclaw config validate` of the new version over the rendered file before it is taken. Back the " +
    "state up first: a start migrates its databases, and an older version does not open them again. Compare the " +
    "image's tools with the health check: wget went in 2026.5.27, curl is there since.",
});

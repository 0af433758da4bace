import { NETWORKS } from "../../host/networks.ts";
import { usableModels } from "../../llm/models.ts";
import type { ServiceContext } from "../../service/model/context.ts";
import { publicOrigin } from "../../service/model/public-origin.ts";
import type { ModelSetting } from "../../service/model/settings.ts";

/**
 * With the network's name: both are on `egress` too, whose members do not reach each other, and there Docker's DNS finds
 * the plain name first, because it is the network that leads out.
 */
export const LITELLM_URL = "http://litellm.backend:4000/v1";

/** Where the container keeps everything that is not configuration. */
export const STATE_DIR = "/home/node/.openclaw";

/** Of any model of that provider on offer, the smallest: beyond it a session would be cut short too late. */
const CONTEXT_WINDOW: Readonly<Record<ModelSetting["provider"], number>> = { anthropic: 200_000, openai: 128_000 };

const MIB = 1024 * 1024;

/** The part of openclaw.json that is used here, as 2026.9 has it: its schema is strict, one key too many ends it. */
export interface OpenClawConfig {
  readonly gateway: {
    readonly mode: "local";
    readonly port: number;
    readonly bind: "lan";
    readonly publicOrigin: string;
    readonly auth: { readonly mode: "token"; readonly token: string };
    readonly trustedProxies: readonly string[];
    readonly controlUi: {
      readonly enabled: boolean;
      readonly allowedOrigins: readonly string[];
      readonly sessionObserver: boolean;
    };
    readonly terminal: { readonly enabled: boolean };
    readonly reload: { readonly mode: "off" };
  };
  readonly logging: { readonly maxFileBytes: number };
  readonly update: { readonly checkOnStart: boolean };
  readonly telemetry: { readonly enabled: boolean };
  readonly discovery: { readonly mdns: { readonly mode: "off" } };
  readonly models: {
    readonly mode: "replace";
    readonly catalogRefresh: { readonly enabled: boolean };
    readonly providers?: { readonly litellm: LlmProvider };
  };
  readonly agents: {
    readonly defaults: {
      readonly model?: { readonly primary: string };
      readonly workspace: string;
      readonly heartbeat: { readonly every: string };
      readonly sandbox: { readonly mode: "off" };
    };
  };
  readonly channels?: {
    readonly telegram: {
      readonly enabled: boolean;
      readonly botToken: string;
      readonly dmPolicy: "allowlist";
      readonly allowFrom: readonly number[];
      readonly groupPolicy: "disabled";
      readonly configWrites: boolean;
    };
  };
  readonly plugins: {
    readonly allow: readonly string[];
    readonly slots: { readonly memory: "none" };
    readonly entries?: { readonly telegram: { readonly enabled: boolean } };
  };
}

interface LlmProvider {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly api: "openai-completions";
  readonly models: readonly {
    readonly id: string;
    readonly name: string;
    readonly input: readonly ("text" | "image")[];
    readonly contextWindow: number;
    readonly maxTokens: number;
  }[];
}

/** Whether OpenClaw has a Telegram bot. */
export const hasTelegram = ({ settings }: ServiceContext): boolean =>
  settings.providedSecrets.includes("openclawTelegramToken");

function telegram({ settings }: ServiceContext): Pick<OpenClawConfig, "channels"> {
  return {
    channels: {
      telegram: {
        enabled: true,
        botToken: "${TELEGRAM_BOT_TOKEN}",
        // By number only: with "pairing", each sender has to be approved on the server.
        dmPolicy: "allowlist",
        allowFrom: settings.telegramAllowFrom,
        groupPolicy: "disabled",
        configWrites: false,
      },
    },
  };
}

/** OpenClaw's configuration. Secrets are references to its environment. */
export function openclawConfig(context: ServiceContext): OpenClawConfig {
  const { settings } = context;
  const offered = usableModels(settings.models, settings.providedSecrets);
  const [primary] = offered;
  const origin = publicOrigin(context, "openclaw");
  return {
    gateway: {
      mode: "local",
      port: 18789,
      // The container's own loopback is not reachable from other containers.
      bind: "lan",
      publicOrigin: origin,
      auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}" },
      trustedProxies: [NETWORKS.backend.subnet],
      // The observer would ask a model about every session on its own account.
      controlUi: { enabled: true, allowedOrigins: [origin], sessionObserver: false },
      // A shell in the gateway's process, with its environment.
      terminal: { enabled: false },
      // Another file is another container.
      reload: { mode: "off" },
    },
    logging: { maxFileBytes: 4 * MIB },
    update: { checkOnStart: false },
    telemetry: { enabled: false },
    discovery: { mdns: { mode: "off" } },
    models: {
      mode: "replace",
      catalogRefresh: { enabled: false },
      ...(primary && {
        providers: {
          litellm: {
            baseUrl: LITELLM_URL,
            apiKey: "${LITELLM_API_KEY}",
            api: "openai-completions",
            models: offered.map(({ name, provider, maxTokens }) => ({
              id: name,
              name,
              input: ["text", "image"] as const,
              contextWindow: CONTEXT_WINDOW[provider],
              maxTokens,
            })),
          },
        },
      }),
    },
    agents: {
      defaults: {
        ...(primary && { model: { primary: `litellm/${primary.name}` } }),
        workspace: `${STATE_DIR}/workspace`,
        // By default it asks a model every half hour whether there is anything to do.
        heartbeat: { every: "0m" },
        // A sandbox of its own would take Docker's socket, which is root on the host.
        sandbox: { mode: "off" },
      },
    },
    ...(hasTelegram(context) && telegram(context)),
    plugins: {
      // By default it loads fifteen, of which none is used here: some 100 MB.
      allow: ["device-pair", "litellm", ...(hasTelegram(context) ? ["telegram"] : [])],
      // Its search of past sessions takes 170 MB more, and asks a model every night what to remember of the day.
      slots: { memory: "none" },
      // P21: from 2026.2.22 a channel's plugin is switched on by itself.
      ...(hasTelegram(context) && { entries: { telegram: { enabled: true } } }),
    },
  };
}

/** openclaw.json. */
export function renderOpenClawConfig(context: ServiceContext): string {
  return JSON.stringify(openclawConfig(context), null, 2) + "\n";
}

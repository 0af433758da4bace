import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type Fault, OperatorError } from "../../shared/errors.ts";
import { checkModels, DEFAULT_MODELS } from "../../components/llm/models.ts";
import {
  CONFIG_SECRETS,
  type ProvidedSecret,
  type ModelSetting,
  type ServiceSettings,
  serviceSettingsSchema,
} from "../../components/service/model/settings.ts";
import { SERVER_TYPES } from "../../components/vps/hetzner/server-types.ts";
import { decodeSettings } from "./decode.ts";
import { toFaults } from "./errors.ts";
import {
  type RawSettings,
  SECRET_SETTINGS,
  type SecretKey,
  secretVariable,
  SERVER_TYPE,
  settingsSchema,
} from "./schema.ts";

/** What a deployment is made of, without its secrets: plain, checked, and the same on every run. */
export interface Settings extends RawSettings {
  readonly stack: string;
  /** Work folder, relative to the program's. */
  readonly workFolder: string;
  /** Hetzner's API, where it is not the real one. */
  readonly hetznerEndpoint?: string;
  /** Least memory that the server can turn out to have. */
  readonly machine: { readonly name: string; readonly memoryMb: number };
  /** Secret settings for the products that have a value. */
  readonly providedSecrets: readonly ProvidedSecret[];
  /** Port of the links: 443, or the one of this machine that a sandbox forwards. */
  readonly publicPort: number;
  /** Digests of the sandbox's registry by pin; undefined where images are taken as pinned. */
  readonly lock?: Readonly<Record<string, string>>;
}

/** Everything that settings are made of, as plain text. */
export interface Sources {
  readonly stack: string;
  /** Configuration by name below `vpai:`; values as Pulumi holds them (text, or JSON). */
  readonly config: Readonly<Record<string, string>>;
  /** Names of those that the stack file holds encrypted. */
  readonly encrypted: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of the image lock, when there is one. */
  readonly lock?: string;
}

/** @throws OperatorError with every fault */
export function parseSettings({ stack, config, encrypted, env, lock }: Sources): Settings {
  const { raw, faults: nameFaults } = decodeSettings(config);
  const parsed = settingsSchema.safeParse(raw);
  const faults = [...nameFaults, ...(parsed.success ? [] : toFaults(parsed.error.issues, raw))];
  const workFolder = env["VPAI_WORK"] ?? `.vpai/${stack}`;
  const providedSecrets = CONFIG_SECRETS.filter((key) => secretText(key, config, env) !== undefined);
  if (parsed.success) {
    faults.push(
      ...lockFaults(parsed.data, workFolder, lock),
      ...checkModels(parsed.data.models),
      ...providerFaults(modelsOf(parsed.data), parsed.data.disabledServices, providedSecrets),
      ...telegramFaults(parsed.data, providedSecrets),
    );
  }
  faults.push(
    ...portFaults(env["VPAI_PUBLIC_PORT"]),
    ...serverTypeFaults(raw["vps"]),
    ...secretFaults(raw["vps"], config, env),
    ...plainSecretFaults(config, encrypted),
  );
  if (faults.length > 0 || !parsed.success) throw new OperatorError(faults);
  return {
    ...parsed.data,
    stack,
    workFolder,
    providedSecrets,
    publicPort: Number(env["VPAI_PUBLIC_PORT"] ?? 443),
    ...(env["HCLOUD_ENDPOINT"] && { hetznerEndpoint: env["HCLOUD_ENDPOINT"] }),
    machine: smallestMachine(parsed.data.vps),
    ...(parsed.data.imageLock && lock !== undefined && { lock: JSON.parse(lock) as Record<string, string> }),
  };
}

const modelsOf = ({ models }: RawSettings): readonly ModelSetting[] => (models.length > 0 ? models : DEFAULT_MODELS);

/** The settings as services see them. */
export function serviceSettings(settings: Settings): ServiceSettings {
  const { owner, domain, providedSecrets } = settings;
  return {
    ...serviceSettingsSchema.parse(settings),
    owner: { ...owner, email: owner.email ?? `admin@${domain}` },
    models: modelsOf(settings),
    providedSecrets,
  };
}

/** The value of a secret setting: the stack file's, else the environment's. */
function secretText(key: SecretKey, config: Sources["config"], env: Sources["env"]): string | undefined {
  const variable = secretVariable(key);
  return config[key] || (variable && env[variable]) || undefined;
}

/** Without a key of any provider, nothing that LiteLLM offers could answer. */
function providerFaults(
  models: readonly ModelSetting[],
  disabledServices: readonly string[],
  providedSecrets: readonly ProvidedSecret[],
): Fault[] {
  const keys = [...new Set(models.map(({ provider }) => `${provider}ApiKey` as const))];
  if (disabledServices.includes("litellm") || keys.some((key) => providedSecrets.includes(key))) return [];
  return [
    {
      key: keys.map((key) => `vpai:${key}`).join(" or "),
      found: "not set",
      allowed: "an API key of at least one provider of vpai:models",
      fix: keys.map((key) => `\`pulumi config set --secret vpai:${key}\``).join(", or "),
    },
  ];
}

/** OpenClaw refuses a channel with a list of senders that is empty, and would not start. */
function telegramFaults(
  { disabledServices, telegramAllowFrom }: RawSettings,
  providedSecrets: readonly ProvidedSecret[],
): Fault[] {
  const hasBot = providedSecrets.includes("openclawTelegramToken") && !disabledServices.includes("openclaw");
  if (!hasBot || telegramAllowFrom.length > 0) return [];
  return [
    {
      key: "vpai:telegramAllowFrom",
      found: "empty, and vpai:openclawTelegramToken is set",
      allowed: "at least one Telegram user's number where OpenClaw has a bot",
      fix:
        "`pulumi config set --path 'vpai:telegramAllowFrom[0]' <number>`, or without the bot " +
        "`pulumi config rm vpai:openclawTelegramToken`",
    },
  ];
}

function portFaults(port: string | undefined): Fault[] {
  if (port === undefined || (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) return [];
  return [
    {
      key: "VPAI_PUBLIC_PORT",
      found: port,
      allowed: "a port: a whole number from 1 to 65535",
      fix: "correct it, or unset it for 443",
    },
  ];
}

/** Checks the raw value so that an unknown type is reported together with other errors. */
function serverTypeFaults(vps: unknown): Fault[] {
  const { provider, memoryMb, serverType, serverTypeFallbacks } = (vps ?? {}) as Record<string, unknown>;
  if (provider !== "hetzner" || memoryMb !== undefined) return [];
  const fallbacks: unknown[] = Array.isArray(serverTypeFallbacks) ? serverTypeFallbacks : [];
  return [serverType, ...fallbacks].flatMap((type, i) =>
    typeof type !== "string" || !SERVER_TYPE.test(type) || type in SERVER_TYPES
      ? []
      : [
          {
            key: i === 0 ? "vpai:vps.serverType" : `vpai:vps.serverTypeFallbacks[${i - 1}]`,
            found: type,
            allowed: `${Object.keys(SERVER_TYPES).join(", ")}; another one with vpai:vps.memoryMb`,
            fix: "choose one of them, or `pulumi config set --path vpai:vps.memoryMb <its memory in MB>`",
          },
        ],
  );
}

function smallestMachine(vps: RawSettings["vps"]): Settings["machine"] {
  if (vps.provider === "existing") return { name: vps.address, memoryMb: vps.memoryMb };
  return [vps.serverType, ...vps.serverTypeFallbacks]
    .map((name) => ({ name, memoryMb: vps.memoryMb ?? SERVER_TYPES[name]?.memoryMb ?? 0 }))
    .reduce((least, type) => (type.memoryMb < least.memoryMb ? type : least));
}

function lockFaults({ imageLock }: RawSettings, workFolder: string, lock: string | undefined): Fault[] {
  if (!imageLock || lock !== undefined) return [];
  return [
    {
      key: `${workFolder}/images.json`,
      found: "no such file",
      fix: "run `npm start`: it publishes the images in the sandbox",
    },
  ];
}

function secretFaults(vps: unknown, config: Sources["config"], env: Sources["env"]): Fault[] {
  const provider = (vps as { provider?: unknown } | undefined)?.provider;
  if (provider === "hetzner" && !config["hetznerToken"] && !env["HCLOUD_TOKEN"]) {
    return [
      {
        key: "vpai:hetznerToken",
        found: "not set",
        allowed: "an API token of the Hetzner project",
        fix: "`pulumi config set --secret vpai:hetznerToken`, or set HCLOUD_TOKEN",
      },
    ];
  }
  if (provider === "existing" && !config["rootPrivateKey"] && !config["rootPassword"]) {
    return [
      {
        key: "vpai:rootPrivateKey",
        found: "not set, and vpai:rootPassword neither",
        allowed: "what the first login to the server takes",
        fix: "`pulumi config set --secret vpai:rootPrivateKey < <file>`, or `pulumi config set --secret vpai:rootPassword`",
      },
    ];
  }
  return [];
}

function plainSecretFaults(config: Sources["config"], encrypted: readonly string[]): Fault[] {
  return Object.keys(SECRET_SETTINGS)
    .filter((key) => config[key] && !encrypted.includes(key))
    .map((key) => ({
      key: `vpai:${key}`,
      found: "in plain text",
      allowed: "encrypted in the stack file",
      fix: `make a new one, since this one may have been seen, and \`pulumi config set --secret vpai:${key}\``,
    }));
}

// The SDK has it and leaves it out of its types.
const { isConfigSecret: isEncrypted } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };

/** The running stack's settings, and its secrets as Outputs. Fails before any resource is registered. */
export function readSettings(): {
  readonly settings: Settings;
  readonly secret: (key: SecretKey) => pulumi.Output<string> | undefined;
} {
  const stack = pulumi.getStack();
  const config = Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig()).flatMap(([key, value]) =>
      key.startsWith("vpai:") ? [[key.slice(5), value]] : [],
    ),
  );
  const file = join(process.env["VPAI_WORK"] ?? `.vpai/${stack}`, "images.json");
  const lock = existsSync(file) ? { lock: readFileSync(file, "utf8") } : {};
  const encrypted = Object.keys(config).filter((key) => isEncrypted(`vpai:${key}`));
  for (const notice of decodeSettings(config).notices) void pulumi.log.warn(notice);
  const settings = parseSettings({ stack, config, encrypted, env: process.env, ...lock });
  const secret = (key: SecretKey): pulumi.Output<string> | undefined => {
    const value = secretText(key, config, process.env);
    return value === undefined ? undefined : pulumi.secret(value);
  };
  return { settings, secret };
}

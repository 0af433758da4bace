import type { Fault } from "../../shared/errors.ts";
import { BACKUP_SECRETS } from "../../components/backup/credentials.ts";
import { SECRETS_OF } from "../../components/dns/credentials.ts";
import { caaName } from "../../components/service/model/issuer.ts";
import { DEFAULT_MODELS } from "../../components/llm/models.ts";
import type { ModelSetting, ProvidedSecret } from "../../components/service/model/settings.ts";
import { SERVER_TYPES } from "../../components/vps/hetzner/server-types.ts";
import { type RawSettings, SECRET_SETTINGS, type SecretKey, secretVariable, SERVER_TYPE } from "./schema.ts";

// What several settings must be together. Each function returns every fault of its kind.

/** The models that LiteLLM offers: those of the settings, else the default ones. */
export const modelsOf = ({ models }: RawSettings): readonly ModelSetting[] =>
  models.length > 0 ? models : DEFAULT_MODELS;

/** Without a key of any provider, nothing that LiteLLM offers could answer. */
export function providerFaults(settings: RawSettings, providedSecrets: readonly ProvidedSecret[]): Fault[] {
  const { disabledServices } = settings;
  const keys = [...new Set(modelsOf(settings).map(({ provider }) => `${provider}ApiKey` as const))];
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
export function telegramFaults(
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

/** Checks the raw value so that an unknown type is reported together with other errors. */
export function serverTypeFaults(vps: unknown): Fault[] {
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

/** A CAA record that does not name the issuer forbids it to issue. */
export function issuerFaults({ tls, dns }: RawSettings): Fault[] {
  const name = caaName(tls.issuer);
  if (name === undefined || dns.issuers.length === 0 || dns.issuers.includes(name)) return [];
  return [
    {
      key: "vpai:dns.issuers",
      found: `${dns.issuers.join(", ")}, without ${name}: the CAA records would forbid ${tls.issuer} to issue`,
      allowed: `a list with ${name}, or none`,
      fix: `add ${name}, or choose another vpai:tls.issuer`,
    },
  ];
}

export function lockFaults({ imageLock }: RawSettings, workFolder: string, lock: string | undefined): Fault[] {
  if (!imageLock || lock !== undefined) return [];
  return [
    {
      key: `${workFolder}/images.json`,
      found: "no such file",
      fix: "run `npm start`: it publishes the images in the sandbox",
    },
  ];
}

/** One VPN, and the key with which the server joins it. */
export function vpnFaults({ vpn, disabledServices }: RawSettings, providedSecrets: readonly ProvidedSecret[]): Fault[] {
  const asked = vpn.host ? "vpai:vpn.host" : "vpai:vpn.controlUrl";
  const wanted = [
    ...(vpn.host ? ["headscale"] : []),
    ...(vpn.host || vpn.controlUrl !== undefined ? ["tailscale"] : []),
  ];
  const without = wanted
    .filter((name) => disabledServices.includes(name))
    .map((name) => ({
      key: `vpai:disabledServices[${disabledServices.indexOf(name)}]`,
      found: `${name}, and ${asked} is set`,
      allowed: "services that no setting asks for",
      fix: `take it out of the list, or \`pulumi config rm --path ${asked}\``,
    }));
  if (vpn.controlUrl === undefined) return without;
  if (vpn.host) {
    return [
      ...without,
      {
        key: "vpai:vpn.controlUrl",
        found: `${vpn.controlUrl}, and vpai:vpn.host is true`,
        allowed: "one of the two: a VPN of the stack's own, or one that exists",
        fix: "`pulumi config rm --path vpai:vpn.controlUrl`, or `pulumi config rm --path vpai:vpn.host`",
      },
    ];
  }
  if (providedSecrets.includes("vpnAuthKey")) return without;
  return [
    ...without,
    {
      key: "vpai:vpnAuthKey",
      found: "not set, and vpai:vpn.controlUrl is",
      allowed: `a key with which one machine may join the VPN of ${vpn.controlUrl}`,
      fix: "`pulumi config set --secret vpai:vpnAuthKey`, or set TS_AUTHKEY",
    },
  ];
}

/** The secrets that the providers of the server and of DNS need. */
export function missingSecretFaults(
  { vps, dns, backup }: Readonly<Record<string, unknown>>,
  isSet: (key: SecretKey) => boolean,
): Fault[] {
  const provider = (vps as { provider?: unknown } | undefined)?.provider;
  const dnsProvider = (dns as { provider?: unknown } | undefined)?.provider;
  const login: Fault[] =
    provider === "existing" && !isSet("rootPrivateKey") && !isSet("rootPassword")
      ? [
          {
            key: "vpai:rootPrivateKey",
            found: "not set, and vpai:rootPassword neither",
            allowed: "what the first login to the server takes",
            fix: "`pulumi config set --secret vpai:rootPrivateKey < <file>`, or `pulumi config set --secret vpai:rootPassword`",
          },
        ]
      : [];
  const token: Fault[] =
    (provider === "hetzner" || dnsProvider === "hetzner") && !isSet("hetznerToken")
      ? [
          {
            key: "vpai:hetznerToken",
            found: "not set",
            allowed: "an API token of the Hetzner project",
            fix: "`pulumi config set --secret vpai:hetznerToken`, or set HCLOUD_TOKEN",
          },
        ]
      : [];
  const ovh = dnsProvider === "ovh" ? SECRETS_OF.ovh.filter((key) => !isSet(key)) : [];
  const keys = backup === undefined ? [] : (["backupAccessKey", "backupSecretKey"] as const);
  return [
    ...token,
    ...login,
    ...keys
      .filter((key) => !isSet(key))
      .map((key) => ({
        key: `vpai:${key}`,
        found: "not set, and vpai:backup is",
        allowed: "one of the two texts that the S3 service shows when a pair of keys is made",
        fix: `\`pulumi config set --secret vpai:${key}\`, or set ${BACKUP_SECRETS[key].variable}`,
      })),
    ...ovh.map((key) => ({
      key: `vpai:${key}`,
      found: "not set",
      allowed: "one of the three texts that OVH shows when a token is made",
      fix: `\`pulumi config set --secret vpai:${key}\`, or set ${secretVariable(key)}`,
    })),
  ];
}

export function plainSecretFaults(config: Readonly<Record<string, string>>, encrypted: readonly string[]): Fault[] {
  return Object.keys(SECRET_SETTINGS)
    .filter((key) => config[key] && !encrypted.includes(key))
    .map((key) => ({
      key: `vpai:${key}`,
      found: "in plain text",
      allowed: "encrypted in the stack file",
      fix: `make a new one, since this one may have been seen, and \`pulumi config set --secret vpai:${key}\``,
    }));
}

import { type Fault, OperatorError } from "../../shared/errors.ts";
import { DNS_SECRETS } from "../../components/dns/credentials.ts";
import { checkModels } from "../../components/llm/models.ts";
import {
  CONFIG_SECRETS,
  type ProvidedSecret,
  type ServiceSettings,
  serviceSettingsSchema,
} from "../../components/service/model/settings.ts";
import { SERVER_TYPES } from "../../components/vps/hetzner/server-types.ts";
import { decodeSettings } from "./decode.ts";
import { ruleFaults } from "./apply-rules.ts";
import {
  issuerFaults,
  lockFaults,
  missingSecretFaults,
  modelsOf,
  plainSecretFaults,
  providerFaults,
  serverTypeFaults,
  telegramFaults,
  vpnFaults,
} from "./cross-checks.ts";
import { environmentFaults, stackNameFaults } from "./environment-rules.ts";
import { toFaults } from "./errors.ts";
import { type RawSettings, SECRET_SETTINGS, type SecretKey, secretVariable, settingsSchema } from "./schema.ts";
import { secretFaults, secretNotices, secretValue } from "./secret-rules.ts";

/** What a deployment is made of, without its secrets: plain, checked, and the same on every run. */
export interface Settings extends RawSettings {
  readonly stack: string;
  /** Work folder, relative to the program's. */
  readonly workFolder: string;
  /** Hetzner's API, where it is not the real one. */
  readonly hetznerEndpoint?: string;
  /** OVH's API, where it is not the region's. */
  readonly ovhEndpoint?: string;
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

/** What was read, whole: faults keep none of the others from being found. */
export interface CheckedSettings {
  /** With a stand-in for each setting that has not its form; not to be used when there are faults. */
  readonly settings: Settings;
  readonly faults: readonly Fault[];
  /** One line for each thing that was put right. */
  readonly notices: readonly string[];
}

/** Checks every setting, by its form, by its consumers' rules and with the others. */
export function checkSettings(sources: Sources): CheckedSettings {
  const { stack, config, encrypted, env, lock } = sources;
  const { raw, faults: nameFaults, notices } = decodeSettings(config);
  const parsed = settingsSchema.safeParse(raw);
  const { settings: data, isSound } = withStandIns(raw);
  const workFolder = env["VPAI_WORK"] ?? `.vpai/${stack}`;
  const isSet = (key: SecretKey): boolean => secretText(key, config, env) !== undefined;
  const providedSecrets = CONFIG_SECRETS.filter(isSet);
  const faults = [
    ...stackNameFaults(stack),
    ...nameFaults,
    ...(parsed.success ? [] : toFaults(parsed.error.issues, raw)),
    ...ruleFaults(data, isSound),
    ...lockFaults(data, workFolder, lock),
    ...checkModels(data.models),
    ...(isSound("models") && isSound("disabledServices") ? providerFaults(data, providedSecrets) : []),
    ...(isSound("telegramAllowFrom") ? telegramFaults(data, providedSecrets) : []),
    ...(isSound("vpn") ? vpnFaults(data, providedSecrets) : []),
    ...(isSound("tls") && isSound("dns") ? issuerFaults(data) : []),
    ...environmentFaults(env),
    ...serverTypeFaults(raw["vps"]),
    ...missingSecretFaults(raw, isSet),
    ...plainSecretFaults(config, encrypted),
    ...givenSecrets(config, env)
      // OVH's variables may be set for something else.
      .filter(({ key, name }) => !(key in DNS_SECRETS) || data.dns.provider === "ovh" || name.startsWith("vpai:"))
      .flatMap(({ key, name, text }) => secretFaults(key, name, text)),
  ];
  const settings: Settings = {
    ...data,
    stack,
    workFolder,
    providedSecrets,
    publicPort: Number(env["VPAI_PUBLIC_PORT"] ?? 443),
    ...(env["HCLOUD_ENDPOINT"] && { hetznerEndpoint: env["HCLOUD_ENDPOINT"] }),
    ...(env["OVH_ENDPOINT"]?.startsWith("https://") && { ovhEndpoint: env["OVH_ENDPOINT"] }),
    machine: isSound("vps") ? smallestMachine(data.vps) : { name: "the server", memoryMb: Number.MAX_SAFE_INTEGER },
    ...(data.imageLock && lock !== undefined && { lock: JSON.parse(lock) as Record<string, string> }),
  };
  const trimmed = givenSecrets(config, env).flatMap(({ key, name, text }) => secretNotices(name, key, text));
  return { settings, faults, notices: [...notices, ...trimmed] };
}

/** @throws OperatorError with every fault */
export function parseSettings(sources: Sources): Settings {
  const { settings, faults } = checkSettings(sources);
  if (faults.length > 0) throw new OperatorError(faults);
  return settings;
}

/** Values for what has no default, so that all the rest can be checked where they are not set or wrong. */
const STAND_INS: Readonly<Record<string, unknown>> = {
  domain: "stand-in.vpai.dev",
  vps: { provider: "hetzner", serverType: Object.keys(SERVER_TYPES)[0], location: "fsn1" },
};

/** Each setting that has its form, and the default or a stand-in for each other. */
function withStandIns(raw: Readonly<Record<string, unknown>>): {
  readonly settings: RawSettings;
  readonly isSound: (setting: string) => boolean;
} {
  const unsound = new Set<string>();
  const values = Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const { success, data } = schema.safeParse(raw[name]);
    if (success) return [name, data] as const;
    unsound.add(name);
    return [name, schema.parse(STAND_INS[name])] as const;
  });
  return { settings: Object.fromEntries(values) as RawSettings, isSound: (setting) => !unsound.has(setting) };
}

/** A secret that has a value. */
export interface GivenSecret {
  readonly key: SecretKey;
  /** The setting, or the variable that stands in for it. */
  readonly name: string;
  /** As given, not trimmed. */
  readonly text: string;
}

/** Every secret that has a value: by the setting, else by the variable that stands in for it. */
export function givenSecrets(config: Sources["config"], env: Sources["env"]): GivenSecret[] {
  return (Object.keys(SECRET_SETTINGS) as SecretKey[]).flatMap((key) => {
    const variable = secretVariable(key);
    if (secretValue(key, config[key]) !== undefined) return [{ key, name: `vpai:${key}`, text: config[key] ?? "" }];
    const text = variable === undefined ? undefined : env[variable];
    return variable !== undefined && secretValue(key, text) !== undefined
      ? [{ key, name: variable, text: text ?? "" }]
      : [];
  });
}

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
export function secretText(key: SecretKey, config: Sources["config"], env: Sources["env"]): string | undefined {
  const variable = secretVariable(key);
  return secretValue(key, config[key]) ?? secretValue(key, variable && env[variable]);
}

function smallestMachine(vps: RawSettings["vps"]): Settings["machine"] {
  if (vps.provider === "existing") return { name: vps.address, memoryMb: vps.memoryMb };
  return [vps.serverType, ...vps.serverTypeFallbacks]
    .map((name) => ({ name, memoryMb: vps.memoryMb ?? SERVER_TYPES[name]?.memoryMb ?? Number.MAX_SAFE_INTEGER }))
    .reduce((least, type) => (type.memoryMb < least.memoryMb ? type : least));
}

import type { Fault } from "../../shared/errors.ts";
import { privateKeyProblem } from "./ssh-keys.ts";
import type { SecretKey } from "./schema.ts";

/** What the consumers of a secret setting take. A message says what is wrong with a value, never the value. */
export interface SecretRule {
  /** Who takes the value, and where the rule is documented. */
  readonly consumer: string;
  readonly source: string;
  readonly allowed: string;
  /** Where a new one is made. */
  readonly fix: string;
  /** What is wrong with a value that is one line without blanks; undefined when nothing is. */
  readonly problem: (value: string) => string | undefined;
  /** Text of several lines, or one that may have blanks. */
  readonly free?: "lines" | "blanks";
}

const length = (value: string): string => `${value.length} character${value.length === 1 ? "" : "s"}`;

/** What a prefixed key is not. */
function prefixed(value: string, prefix: string, min: number): string | undefined {
  if (!value.startsWith(prefix)) return `${length(value)} that do not start with ${prefix}`;
  if (!/^[A-Za-z0-9_-]+$/.test(value)) return `with a character that is not a letter, a digit, - or _`;
  return value.length < min ? `${length(value)}, too short` : undefined;
}

function anthropic(value: string): string | undefined {
  if (value.startsWith("sk-ant-admin")) return "an admin key: it cannot use models";
  if (value.startsWith("sk-ant-oat")) return "a login token of Claude Code, not an API key";
  return prefixed(value, "sk-ant-", 40);
}

function openai(value: string): string | undefined {
  if (value.startsWith("sk-ant-")) return "a key of Anthropic";
  if (value.startsWith("sk-admin-")) return "an admin key: it cannot use models";
  return prefixed(value, "sk-", 40);
}

function hetzner(value: string): string | undefined {
  if (value.length !== 64) return length(value);
  return /^[A-Za-z0-9]+$/.test(value) ? undefined : "with a character that is not a letter or a digit";
}

const OVH_FIX = "make all three again at https://eu.api.ovh.com/createToken/";
const OVH_SOURCE =
  "https://help.ovhcloud.com/csm/en-api-getting-started-ovhcloud-api?id=kb_article_view&sysparm_article=KB0042777";

/** A rule for one of the three texts that OVH shows together; their lengths differ. */
const ovh = (what: string, size: number): SecretRule => ({
  consumer: "OVH's API",
  source: OVH_SOURCE,
  allowed: `${what} of OVH: ${size} letters and digits`,
  fix: OVH_FIX,
  problem: (value) => {
    if (value.length !== size) return length(value);
    return /^[A-Za-z0-9]+$/.test(value) ? undefined : "with a character that is not a letter or a digit";
  },
});

/** Consumers' rules for secrets, by setting. */
export const SECRET_RULES: Readonly<Record<SecretKey, SecretRule>> = {
  hetznerToken: {
    consumer: "Hetzner's Terraform provider",
    source: "https://github.com/hetznercloud/terraform-provider-hcloud (provider.go: exactly 64 characters)",
    allowed: "an API token of Hetzner: exactly 64 letters and digits",
    fix: "copy it again from Hetzner's console (Security, API tokens)",
    problem: hetzner,
  },
  rootPrivateKey: {
    consumer: "golang.org/x/crypto/ssh in the engine's plugin command",
    source: "https://pkg.go.dev/golang.org/x/crypto/ssh#ParsePrivateKey",
    allowed: "an OpenSSH or PEM private key without a passphrase, with its line breaks",
    fix: "`pulumi config set --secret vpai:rootPrivateKey < <file>`",
    problem: privateKeyProblem,
    free: "lines",
  },
  rootPassword: {
    consumer: "sshd on the server",
    source: "https://www.rfc-editor.org/rfc/rfc4252#section-8",
    allowed: "one line of text",
    fix: "`pulumi config set --secret vpai:rootPassword`",
    problem: () => undefined,
    free: "blanks",
  },
  ovhApplicationKey: ovh("an application key", 16),
  ovhApplicationSecret: ovh("an application secret", 32),
  ovhConsumerKey: ovh("a consumer key", 32),
  backupAccessKey: {
    consumer: "the S3 service of vpai:backup",
    source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html (AccessKeyId)",
    allowed: "an access key: 16 to 128 letters, digits, - or _",
    fix: "make a new one at the service (Hetzner's console: Security, S3 credentials)",
    problem: (value) => (/^[\w-]{16,128}$/.test(value) ? undefined : `${length(value)} of another form`),
  },
  backupSecretKey: {
    consumer: "the S3 service of vpai:backup",
    source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html (SecretAccessKey)",
    allowed: "the secret key that belongs to vpai:backupAccessKey: at least 16 characters",
    fix: "it is shown once: make a new pair of keys at the service",
    problem: (value) => (value.length < 16 ? `${length(value)}, too short` : undefined),
  },
  backupHeartbeatUrl: {
    consumer: "the backup on the server",
    source: "https://healthchecks.io/docs/http_api/",
    allowed: "an https address without a query: /start and /fail are added to it",
    fix: "copy it again from the receiver",
    problem: (value) => (/^https:\/\/[^\s?#]+[^\s?#/]$/.test(value) ? undefined : "not such an address"),
  },
  anthropicApiKey: {
    consumer: "Anthropic's API, through LiteLLM",
    source: "https://docs.anthropic.com/en/api/getting-started",
    allowed: "an API key of Anthropic: sk-ant- and at least 33 letters, digits, - or _",
    fix: "copy it again from https://console.anthropic.com/settings/keys",
    problem: anthropic,
  },
  openaiApiKey: {
    consumer: "OpenAI's API, through LiteLLM",
    source: "https://platform.openai.com/docs/api-reference/authentication",
    allowed: "an API key of OpenAI: sk- and at least 37 letters, digits, - or _",
    fix: "copy it again from https://platform.openai.com/api-keys",
    problem: openai,
  },
  vpnAuthKey: {
    consumer: "tailscaled",
    source: "https://tailscale.com/kb/1085/auth-keys and `headscale preauthkeys create`",
    allowed: "a key for one machine: tskey-auth-…, hskey-auth-…, or 48 hexadecimal digits of an older Headscale",
    fix: "make a new one: `headscale preauthkeys create --tags tag:server`, or Tailscale's admin console",
    problem: (value) => {
      if (/^(tskey-api|hskey-api)/.test(value)) return "a key of the API, not of a machine";
      if (/^[a-f0-9]{48}$/.test(value)) return undefined;
      return /^(tskey-auth|hskey-auth)-[A-Za-z0-9_-]{10,}$/.test(value)
        ? undefined
        : `${length(value)} of another form`;
    },
  },
  openclawTelegramToken: {
    consumer: "Telegram's bot API, through OpenClaw",
    source: "https://core.telegram.org/bots/api#authorizing-your-bot",
    allowed: "a bot's number, a colon and 35 letters, digits, - or _, as BotFather shows it",
    fix: "copy it again from BotFather (/token)",
    problem: (value) => (/^\d{6,16}:[A-Za-z0-9_-]{35}$/.test(value) ? undefined : `${length(value)} of another form`),
  },
};

/** A secret as its consumers get it: without the end of line that `config set --secret < file` keeps; blank is not set. */
export function secretValue(key: SecretKey, text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  // The last line of a private key ends with one.
  return SECRET_RULES[key].free === "lines" ? text : text.replace(/[\r\n]+$/, "");
}

/** What is wrong with a secret that is set. `name` is the setting, or the variable that stands in for it. */
export function secretFaults(key: SecretKey, name: string, text: string): Fault[] {
  const value = secretValue(key, text);
  if (value === undefined) return [];
  const rule = SECRET_RULES[key];
  const found = formProblem(value, rule) ?? rule.problem(value);
  if (found === undefined) return [];
  const set = name.startsWith("vpai:") ? `\`pulumi config set --secret ${name}\`` : `set ${name}`;
  const fix = rule.fix.includes("config set") ? rule.fix : `${rule.fix}, then ${set}`;
  return [{ key: name, found, allowed: rule.allowed, fix }];
}

/** What no secret on one line has: its consumers send it in a header, or write it into a file of lines. */
function formProblem(value: string, { free }: SecretRule): string | undefined {
  if (free === "lines") return undefined;
  if (/[\r\n]/.test(value)) return "text of several lines";
  if (free === "blanks") return undefined;
  if (/^(["']).*\1$/.test(value)) return "text in quotes";
  if (/\s/.test(value)) return "with a blank in it";

  if (/[\u0000-\u001f\u007f]/.test(value)) return "with a control character in it";
  if (/[^\x20-\x7e]/.test(value)) return "with a character that is not ASCII, such as a typographic dash or …";
  return undefined;
}

/** One line for each value whose end of line is left out. */
export function secretNotices(name: string, key: SecretKey, text: string): string[] {
  const trimmed = secretValue(key, text);
  return trimmed !== undefined && trimmed !== text ? [`${name} ends with a line break, which is left out`] : [];
}

import { z } from "zod";
import { contains, inRanges, parseRange } from "../../shared/address-range.ts";
import { tryImageRef } from "../../shared/image-ref.ts";
import { hostKeyProblem } from "./ssh-keys.ts";
import type { RawSettings } from "./schema.ts";
import { isTimezone, TZDATA_VERSION } from "./timezones.ts";

/** What a rule may look at besides its value. */
export interface Around {
  readonly settings: RawSettings;
  /** Elements of the list that come before the value. */
  readonly earlier: readonly unknown[];
  /** All elements of its list. */
  readonly list: readonly unknown[];
  /** The key below the rule's setting, where that is an object of values. */
  readonly key: string;
  /** Image of each service, as the program pins it. */
  readonly pinned: Readonly<Record<string, string>>;
}

/** What a consumer of a setting takes. The schema has the form, which is checked first; every rule here must hold too. */
export interface ValueRule {
  /** Name below `vpai:`; `[]` stands for each element of a list, `.*` for each value of an object. */
  readonly setting: string;
  readonly consumer: string;
  /** Where the consumer's rule is documented. */
  readonly source: string;
  readonly allowed: string;
  /** What is wrong, to be read after the value; undefined when nothing is. */
  readonly problem: (value: never, around: Around) => string | undefined;
  /** @default the command that sets the value */
  readonly fix?: string;
}

function rule<T>(given: Omit<ValueRule, "problem"> & { problem: (value: T, around: Around) => string | undefined }) {
  return given as ValueRule;
}

const RESERVED = /(^|\.)(example|invalid|test|local|internal|onion|example\.(com|net|org))$/;

const domains: readonly ValueRule[] = [
  rule<string>({
    setting: "domain",
    consumer: "public DNS and certificate authorities",
    source: "https://www.rfc-editor.org/rfc/rfc6761",
    allowed: "a domain that you own; localhost in the sandbox alone",
    problem: (value, { settings }) => {
      if (RESERVED.test(value)) return "which cannot be registered: it is a placeholder or reserved";
      return /(^|\.)localhost$/.test(value) && !settings.imageLock ? "which is this machine itself" : undefined;
    },
  }),
  rule<string>({
    setting: "domain",
    consumer: "browsers and Caddy, which take names in punycode",
    source: "https://www.rfc-editor.org/rfc/rfc5890#section-2.3.2.1",
    allowed: "a domain whose labels are letters and digits, or valid punycode",
    problem: (value) =>
      value.split(".").some((label) => label.slice(2, 4) === "--" && !label.startsWith("xn--"))
        ? "with a label that has -- in third place"
        : undefined,
  }),
  rule<string>({
    setting: "domain",
    consumer: "DNS, with a service's name in front",
    source: "https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4",
    allowed: "at most 230 characters, so that each service's name fits in front",
    problem: (value) => (value.length > 230 ? `${value.length} characters` : undefined),
  }),
];

const zones: readonly ValueRule[] = [
  rule<string>({
    setting: "dns.zone",
    consumer: "the provider of DNS, which writes records below the zone alone",
    source: "https://www.rfc-editor.org/rfc/rfc1034#section-4.2",
    allowed: "the domain itself, or a domain that it is below",
    problem: (value, { settings: { domain } }) =>
      domain === value || domain.endsWith(`.${value}`) ? undefined : `which ${domain} is not below`,
  }),
  rule<string>({
    setting: "dns.zone",
    consumer: "OVH's own client",
    source: "npm ovh 2.0.3, lib/ovh.es6.js: it signs no request whose path contains /auth",
    allowed: "with provider ovh, a zone that does not start with auth",
    problem: (value, { settings: { dns } }) =>
      dns.provider === "ovh" && value.startsWith("auth") ? "for which OVH's client signs no request" : undefined,
  }),
  rule<unknown>({
    setting: "dns.issuers[]",
    consumer: "the operator, who meant another one",
    source: "https://www.rfc-editor.org/rfc/rfc8659",
    allowed: "each once",
    fix: "correct it, or take it out",
    problem: (value, { earlier }) => (earlier.includes(value) ? "a second time" : undefined),
  }),
];

const timezones: readonly ValueRule[] = [
  rule<string>({
    setting: "timezone",
    consumer: "libc, ICU in Node, Python's zoneinfo and Go, of which libc and Python read the case",
    source: `https://data.iana.org/time-zones/tz-link.html (tz database ${TZDATA_VERSION})`,
    allowed: "a name of the tz database, exactly as it is there, such as Europe/Paris",
    problem: (value) => (isTimezone(value) ? undefined : ""),
  }),
];

const HETZNER_RULES = "https://docs.hetzner.cloud/reference/cloud#firewalls (source_ips)";

/** Rules of a list of address ranges. */
const ranges = (setting: "ssh.allowedCidrs" | "vpnCidrs", consumer: string, source: string): readonly ValueRule[] => [
  rule<string>({
    setting: `${setting}[]`,
    consumer,
    source,
    allowed: "a range that begins at its network",
    problem: (value) => {
      const range = parseRange(value);
      return range && range.address !== range.network ? "whose address is not the first one of its range" : undefined;
    },
  }),
  rule<string>({
    setting: `${setting}[]`,
    consumer: `${consumer}, for which the widest range decides`,
    source,
    allowed: "ranges of which none contains another",
    fix: "take one of the two out",
    problem: (value, { list, earlier }) => {
      const range = parseRange(value);
      const others = list.filter((_, i) => i !== earlier.length);
      const outer = others.find((other, i) => {
        const wide = parseRange(String(other));
        if (!range || !wide || !contains(wide, range)) return false;
        // Of two equal ranges the second is the one too many.
        return wide.prefix < range.prefix || i < earlier.length;
      });
      return outer === undefined ? undefined : `which ${String(outer)} contains`;
    },
  }),
];

const lists: readonly ValueRule[] = [
  ...ranges("ssh.allowedCidrs", "Hetzner's firewall", HETZNER_RULES),
  ...ranges("vpnCidrs", "Caddy's remote_ip", "https://caddyserver.com/docs/caddyfile/matchers#remote-ip"),
  rule<readonly string[]>({
    setting: "ssh.allowedCidrs",
    consumer: "Hetzner's firewall",
    source: HETZNER_RULES,
    allowed: "at most 100 ranges",
    problem: (value) => (value.length > 100 ? `${value.length} ranges` : undefined),
  }),
  rule<string>({
    setting: "vpnCidrs[]",
    consumer: "Grafana, LiteLLM and OpenClaw, which answer to these addresses",
    source: "https://www.rfc-editor.org/rfc/rfc1918",
    allowed: "a range of a VPN or of single machines: at least /8, and for IPv6 at least /7",
    problem: (value) => {
      const range = parseRange(value);
      const least = range?.family === "ipv4" ? 8 : 7;
      return range && range.prefix < least ? "which opens Grafana, LiteLLM and OpenClaw to the internet" : undefined;
    },
  }),
  ...["disabledServices", "telegramAllowFrom", "vps.serverTypeFallbacks", "vps.locationFallbacks"].map((setting) =>
    rule<unknown>({
      setting: `${setting}[]`,
      consumer: "the operator, who meant another one",
      source: "components/vps/hetzner/choose-offer.ts tries each once; a list of users has each once",
      allowed: "each once",
      fix: "correct it, or take it out",
      problem: (value, { earlier }) => (earlier.includes(value) ? "a second time" : undefined),
    }),
  ),
  rule<number>({
    setting: "telegramAllowFrom[]",
    consumer: "Telegram",
    source: "https://core.telegram.org/bots/api#user",
    allowed: "a user's number, which has at most 52 bits",
    problem: (value) => (value >= 2 ** 52 ? "which is too large" : undefined),
  }),
];

/** Addresses that no server on the internet has. */
const NO_SERVER = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "192.0.2.0/24",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
];

const servers: readonly ValueRule[] = [
  rule<string>({
    setting: "vps.serverTypeFallbacks[]",
    consumer: "Hetzner, which has answered for this type already",
    source: "https://docs.hetzner.cloud/reference/cloud#errors (resource_unavailable)",
    allowed: "another type than vpai:vps.serverType",
    fix: "choose another type, or take it out",
    problem: (value, { settings: { vps } }) =>
      vps.provider === "hetzner" && vps.serverType === value ? "which is vpai:vps.serverType" : undefined,
  }),
  rule<string>({
    setting: "vps.locationFallbacks[]",
    consumer: "Hetzner, which has answered for this location already",
    source: "https://docs.hetzner.cloud/reference/cloud#errors (resource_unavailable)",
    allowed: "another location than vpai:vps.location",
    fix: "choose another location, or take it out",
    problem: (value, { settings: { vps } }) =>
      vps.provider === "hetzner" && vps.location === value ? "which is vpai:vps.location" : undefined,
  }),
  rule<string>({
    setting: "vps.address",
    consumer: "SSH over the internet or a private network",
    source: "https://www.iana.org/assignments/iana-ipv4-special-registry/",
    allowed: "the address of a server",
    problem: (value) => (inRanges(value, NO_SERVER) ? "which no server has: it is reserved" : undefined),
  }),
  rule<string>({
    setting: "vps.hostKey",
    consumer: "OpenSSH",
    source: "https://www.rfc-editor.org/rfc/rfc4253#section-6.6",
    allowed: "the server's public host key, whole: ssh-ed25519 AAAA…",
    problem: hostKeyProblem,
  }),
];

/** n8n's check of a name: a markup, or what looks like an address of the web. */
const nameProblem = (value: string): string | undefined => {
  if (/[<>]/.test(value)) return "with < or >";
  return /^(https?:\/\/|www\.)|(\.[\p{L}\d-]+)/iu.test(value) ? "which n8n takes for an address of the web" : undefined;
};

const owners: readonly ValueRule[] = [
  ...["owner.firstName", "owner.lastName"].flatMap((setting) => [
    rule<string>({
      setting,
      consumer: "n8n",
      source: "@n8n/api-types 1.41.0, dto/user/user-update-request.dto",
      allowed: "a name without <, > and without a letter directly after a dot",
      problem: nameProblem,
    }),
    rule<string>({
      setting,
      consumer: "the operator",
      source: "@n8n/api-types 1.41.0, dto/owner/owner-setup-request.dto",
      allowed: "a name that is not blank",
      problem: (value) => (value.trim() === "" ? "which is blank" : undefined),
    }),
  ]),
  rule<string>({
    setting: "owner.email",
    consumer: "n8n, which lowers it, and LiteLLM, whose user name it is and which does not",
    source: "@n8n/db 1.41.2, entities/user (preUpsertHook)",
    allowed: "an address in lower case",
    problem: (value) => (value === value.toLowerCase() ? undefined : "with capital letters"),
  }),
  rule<string>({
    setting: "owner.email",
    consumer: "SMTP",
    source: "https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1",
    allowed: "at most 254 characters",
    problem: (value) => (value.length > 254 ? `${value.length} characters` : undefined),
  }),
];

const images: readonly ValueRule[] = [
  rule<string>({
    setting: "images.*",
    consumer: "the service, whose files and commands are for its own image",
    source: "components/images.ts",
    allowed: "the service's own repository, or the same path at a mirror",
    problem: (value, { key, pinned }) => {
      const [given, own] = [tryImageRef(value), tryImageRef(pinned[key] ?? "")];
      if (!given || !own || given.repository === own.repository) return undefined;
      const path = own.path.replace(/^library\//, "");
      return given.host !== own.host && `/${given.path}`.endsWith(`/${path}`)
        ? undefined
        : `which is not ${own.repository}`;
    },
  }),
  rule<string>({
    setting: "images.*",
    consumer: "the registry",
    source: "https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests",
    allowed: "the digest that the registry shows for the tag",
    problem: (value) => (/@sha256:(.)\1{63}$/.test(value) ? "whose digest is a placeholder" : undefined),
  }),
];

/** Consumers' rules for settings that are not secret. The first that a value breaks is reported. */
export const VALUE_RULES: readonly ValueRule[] = [
  ...domains,
  ...zones,
  ...timezones,
  ...lists,
  ...servers,
  ...owners,
  ...images,
];

/** n8n's rule for the owner's address, which is also that of the schema. */
export const isOwnerEmail = (address: string): boolean => z.email().safeParse(address).success;

import { z } from "zod";
import { type SecretSetting, SERVICE_SECRETS, serviceSettingsSchema } from "../../components/service/model/settings.ts";
import { BACKUP_SECRETS } from "../../components/backup/credentials.ts";
import { DNS_SECRETS } from "../../components/dns/credentials.ts";
import { OVH_REGIONS } from "../../components/dns/endpoints.ts";
import { ISSUER_FORM, isIssuer } from "../../components/service/model/issuer.ts";
import { IMAGE_REF_FORM, tryImageRef } from "../../shared/image-ref.ts";
import { LOCATIONS } from "../../components/vps/hetzner/server-types.ts";
import { choice, cidr, flag, text, whole } from "../../shared/rules.ts";

// z.hostname also takes upper case, a single label and an IPv4 address.
const DOMAIN = /^(?=.{3,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;
const HOST_KEY = /^(ssh-ed25519|ecdsa-sha2-nistp256|ssh-rsa) [A-Za-z0-9+/]+=*( \S+)*$/;

/** How Hetzner's server types are named. */
export const SERVER_TYPE = /^[a-z]{2,4}\d{2}$/;

const serverType = text("a server type's name such as cx33", (value) => SERVER_TYPE.test(value));
const generation = whole(1, 1_000_000, "a whole number from 1")
  .default(1)
  .describe("Generation of the server: a higher number replaces the server by a new one");
const memoryMb = whole(512, 4_194_304, "memory in MB, a whole number from 512");
const anyPort = whole(1, 65_535, "a port: a whole number from 1 to 65535");
const openPort = text("a port such as 25/tcp", (value) => {
  const [, port] = /^([1-9]\d{0,4})\/(tcp|udp)$/.exec(value) ?? [];
  return Number(port) <= 65_535;
});
const HOST_KEY_ALLOWED = "the server's public host key, as `ssh-keyscan` or its console shows it: ssh-ed25519 AAAA…";

const hetzner = z.strictObject({
  provider: z.literal("hetzner"),
  serverType: serverType.describe("Server type"),
  serverTypeFallbacks: z
    .array(serverType, { error: "a list of server types" })
    .default([])
    .describe("Server types to try in turn when the first is sold out"),
  location: choice(LOCATIONS).describe("Location of the server"),
  locationFallbacks: z
    .array(choice(LOCATIONS), { error: "a list of locations" })
    .default([])
    .describe("Locations to try in turn when the first has no server type"),
  generation,
  memoryMb: memoryMb.optional().describe("Memory of the server in MB; needed for a server type that is not known"),
});

const existing = z.strictObject({
  provider: z.literal("existing"),
  address: z.ipv4({ error: "an IPv4 address such as 203.0.113.7" }).describe("Address of the server"),
  port: anyPort.default(22).describe("SSH port of the first login"),
  user: text("a user's name", (value) => /^[a-z_][a-z0-9_-]{0,31}$/.test(value))
    .default("root")
    .describe("User of the first login"),
  hostKey: text(HOST_KEY_ALLOWED, (value) => HOST_KEY.test(value)).describe("SSH host key of the server"),
  generation,
  memoryMb: memoryMb.describe("Memory of the server in MB"),
  passwordLogin: flag()
    .default(true)
    .describe("Whether sshd goes on to take passwords; false: keys alone, for all users of the server"),
  openPorts: z
    .array(openPort, { error: "a list of ports" })
    .optional()
    .describe(
      "Ports of the server's other software that everyone may reach, such as 25/tcp; where it is set, all others are closed",
    ),
});

const ssh = z.strictObject({
  port: whole(1024, 65_535, "a port: a whole number from 1024 to 65535").default(2222).describe("Port of sshd"),
  allowedCidrs: z
    .array(cidr("an address range such as 198.51.100.0/24"), { error: "a list of at least one address range" })
    .min(1, { error: "a list of at least one address range" })
    .default(["0.0.0.0/0", "::/0"])
    .describe("Source CIDRs allowed to connect to sshd"),
});

const tls = z.strictObject({
  issuer: text(ISSUER_FORM, isIssuer)
    .default("letsencrypt")
    .describe(
      "Who issues the certificates of the public hosts; internal: Caddy's own authority, which clients have to trust",
    ),
});

const backup = z.strictObject({
  endpoint: text("the https address of an S3 service, such as https://fsn1.your-objectstorage.com", (value) =>
    /^https:\/\/[a-z0-9][a-z0-9.-]*(:\d{1,5})?$/.test(value),
  ).describe("S3 service that keeps the backups"),
  bucket: text("a bucket's name: 3 to 63 letters in lower case, digits and -", (value) =>
    /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(value),
  ).describe("Bucket of the backups, of this stack alone or with others; made unless it exists"),
});

const zone = text("a zone in lower case such as example.com, as its provider calls it", (value) => DOMAIN.test(value));
const records = {
  ttl: whole(60, 86_400, "seconds, a whole number from 60 to 86400")
    .default(300)
    .describe("How long others may keep a record, in seconds"),
  issuers: z
    .array(
      text("a certificate authority as its CAA records name it, such as letsencrypt.org", (value) =>
        DOMAIN.test(value),
      ),
      { error: "a list of certificate authorities" },
    )
    .default([])
    .describe("Certificate authorities that may issue for the domain, one CAA record each; empty: no such record"),
};

const noDns = z.strictObject({
  provider: z.literal("none"),
  zone: zone
    .optional()
    .describe("Zone of the domain; where it is set, the records to make by hand are shown and checked"),
  ...records,
});

const ovhDns = z.strictObject({
  provider: z.literal("ovh"),
  zone: zone.describe("Zone of the domain at the provider"),
  region: choice(OVH_REGIONS).default("ovh-eu").describe("Region of the OVH account"),
  ...records,
});

const hetznerDns = z.strictObject({
  provider: z.literal("hetzner"),
  zone: zone.describe("Zone of the domain at the provider"),
  ...records,
});

/**
 * Every setting that is not secret, by its name below `vpai:`. Unknown ones are errors. These are the forms; what the
 * consumers of a value take is in value-rules.ts, and for secrets in secret-rules.ts.
 */
export const settingsSchema = z.strictObject({
  domain: text("a domain in lower case such as ai.example.com, other letters in punycode", (value) =>
    DOMAIN.test(value),
  ).describe("Domain of the deployment; each service gets a name below it"),
  timezone: text("a name of the tz database, exactly as it is there, such as Europe/Paris")
    .default("Etc/UTC")
    .describe("Time zone of the services"),
  size: choice(["standard", "small"])
    .default("standard")
    .describe("Memory profile of the services: standard, or small for trials; both fit 8 GB"),
  protect: flag()
    .default(true)
    .describe("Protect stateful and irreplaceable resources (server, address, keys, encryption keys) from deletion"),
  vps: z
    .discriminatedUnion("provider", [hetzner, existing], { error: "hetzner, existing" })
    .describe("Server of the deployment"),
  ssh: ssh.default(ssh.parse({})).describe("SSH access to the server"),
  dns: z
    .discriminatedUnion("provider", [noDns, ovhDns, hetznerDns], { error: "none, ovh, hetzner" })
    .default(noDns.parse({ provider: "none" }))
    .describe("Who serves the DNS of the domain"),
  tls: tls.default(tls.parse({})).describe("Certificates of the public hosts"),
  backup: backup.optional().describe("Where every night's backup goes; without it there is none"),
  disabledServices: z
    .array(text("a service's name"), { error: "a list of services" })
    .default([])
    .describe("Services to leave out; their data stays until `vpai purge`"),
  ...serviceSettingsSchema.shape,
  images: z
    .record(
      z.string(),
      text(IMAGE_REF_FORM, (value) => tryImageRef(value) !== undefined),
      { error: "an object of images by service" },
    )
    .default({})
    .describe("Image overrides by service"),
  imageLock: flag()
    .default(false)
    .describe("Resolve each image by the digest in the sandbox's registry (sandbox only)"),
});

export type RawSettings = z.infer<typeof settingsSchema>;

/** Former names of settings: still accepted, with a notice. */
export const DEPRECATED_SETTINGS: Readonly<Record<string, string>> = { without: "disabledServices" };

/** Every secret setting: it stays an Output. Its form is checked by secret-rules.ts. */
export const SECRET_SETTINGS = {
  hetznerToken: {
    description: "API token of the Hetzner project (vps or dns provider hetzner)",
    variable: "HCLOUD_TOKEN",
  },
  rootPrivateKey: { description: "Private key for the first login to an existing server" },
  rootPassword: { description: "Password for the first login to an existing server" },
  ...DNS_SECRETS,
  ...BACKUP_SECRETS,
  ...SERVICE_SECRETS,
} as const satisfies Readonly<Record<string, SecretSetting>>;

export type SecretKey = keyof typeof SECRET_SETTINGS;

/** Environment variable that stands in for a secret that is not set. */
export const secretVariable = (key: SecretKey): string | undefined => (SECRET_SETTINGS[key] as SecretSetting).variable;

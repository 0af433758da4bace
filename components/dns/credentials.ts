/** Secrets that the providers of DNS take, by their names below `vpai:`. */
export const DNS_SECRETS = {
  ovhApplicationKey: {
    description: "Application key of OVH's API (dns provider ovh)",
    variable: "OVH_APPLICATION_KEY",
  },
  ovhApplicationSecret: { description: "Application secret of OVH's API", variable: "OVH_APPLICATION_SECRET" },
  ovhConsumerKey: { description: "Consumer key of OVH's API", variable: "OVH_CONSUMER_KEY" },
} as const;

export type DnsSecret = keyof typeof DNS_SECRETS | "hetznerToken";

/** Which secrets a provider needs. */
export const SECRETS_OF: Readonly<Record<DnsProvider, readonly DnsSecret[]>> = {
  none: [],
  ovh: ["ovhApplicationKey", "ovhApplicationSecret", "ovhConsumerKey"],
  hetzner: ["hetznerToken"],
};

export type DnsProvider = "none" | "ovh" | "hetzner";

/** A provider that records can be written at. */
export type WritableProvider = Exclude<DnsProvider, "none">;

const VARIABLES: Readonly<Record<DnsSecret, string>> = {
  ovhApplicationKey: DNS_SECRETS.ovhApplicationKey.variable,
  ovhApplicationSecret: DNS_SECRETS.ovhApplicationSecret.variable,
  ovhConsumerKey: DNS_SECRETS.ovhConsumerKey.variable,
  hetznerToken: "HCLOUD_TOKEN",
};

export type Credentials = Readonly<Partial<Record<DnsSecret, string>>>;

/** The provider's secrets: those configured, else those of the environment. */
export function credentialsOf(
  provider: WritableProvider,
  configured: (key: DnsSecret) => string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Credentials {
  return Object.fromEntries(
    SECRETS_OF[provider].flatMap((key) => {
      // A line break at the end is what `config set --secret < file` keeps.
      const value = (configured(key) || env[VARIABLES[key]] || "").trim();
      return value === "" ? [] : [[key, value]];
    }),
  );
}

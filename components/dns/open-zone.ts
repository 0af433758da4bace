import { OperatorError } from "../../shared/errors.ts";
import { type Credentials, SECRETS_OF, type WritableProvider } from "./credentials.ts";
import { HetznerZone } from "./hetzner/zone.ts";
import { OvhZone } from "./ovh/zone.ts";
import type { Zone } from "./zone.ts";

/** Where a zone is; nothing of it is secret. */
export interface ZonePlace {
  readonly provider: WritableProvider;
  readonly zone: string;
  /** Of the provider's API, with version. */
  readonly endpoint: string;
}

export interface OpenOptions {
  readonly pause?: (ms: number) => Promise<unknown>;
  readonly timeoutMs?: number;
}

/** @throws OperatorError when a secret of the provider is not set */
export function openZone(place: ZonePlace, credentials: Credentials, options: OpenOptions = {}): Zone {
  const { provider, zone, endpoint } = place;
  const secret = (key: keyof Credentials): string => credentials[key] ?? "";
  const missing = SECRETS_OF[provider].filter((key) => secret(key) === "");
  if (missing.length > 0) {
    throw new OperatorError(
      missing.map((key) => ({
        key: `vpai:${key}`,
        found: "not set",
        allowed: `what ${provider}'s API takes`,
        fix: `\`pulumi config set --secret vpai:${key}\``,
      })),
    );
  }
  const { pause } = options;
  if (provider === "hetzner")
    return new HetznerZone(zone, { endpoint, token: secret("hetznerToken"), ...(pause && { pause }) });
  return new OvhZone(zone, {
    endpoint,
    credentials: {
      applicationKey: secret("ovhApplicationKey"),
      applicationSecret: secret("ovhApplicationSecret"),
      consumerKey: secret("ovhConsumerKey"),
    },
    ...options,
  });
}

import type { HostMount } from "../model/facets.ts";

const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

/** For a service that calls out: it believes the authorities that its host believes, a private one among them. */
export const HOST_TRUST: HostMount = {
  source: BUNDLE,
  target: BUNDLE,
  why: "TLS to the outside is checked against the host's authorities",
};

/** Where Go, Python and Node look for {@link HOST_TRUST}. */
export const HOST_TRUST_ENVIRONMENT = {
  SSL_CERT_FILE: BUNDLE,
  REQUESTS_CA_BUNDLE: BUNDLE,
  NODE_EXTRA_CA_CERTS: BUNDLE,
} as const;

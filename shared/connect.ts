import { getCACertificates } from "node:tls";
import { buildConnector } from "undici";

/** One address for every name, believed by this authority alone: the sandbox's front. */
export interface Front {
  readonly address: string;
  readonly port?: number;
  /** Certificate, PEM. */
  readonly ca: string;
}

/** Those of Node, and those of this machine, which SSL_CERT_FILE names where they are elsewhere. */
export function authorities(more: string | undefined): string[] {
  return [...getCACertificates("default"), ...getCACertificates("system"), ...(more === undefined ? [] : [more])];
}

/** Connects to one address for every name; the certificate is still checked for the name. */
export function elsewhere({ address, port, ca }: Front): buildConnector.connector {
  const connect = buildConnector({ ca });
  return (options, callback) =>
    connect({ ...options, hostname: address, ...(port && { port: String(port) }) }, callback);
}

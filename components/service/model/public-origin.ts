/** Where a deployment is reached from outside. */
export interface PublicAddress {
  readonly domain: string;
  /** Port that browsers connect to: 443, or another one that is forwarded to the server's 443. */
  readonly publicPort: number;
}

/** What a browser calls the origin of `subdomain`, or of the domain itself. Without a slash at its end. */
export function publicOrigin({ domain, publicPort }: PublicAddress, subdomain?: string): string {
  const host = subdomain === undefined ? domain : `${subdomain}.${domain}`;
  // With the port that https implies, it would not equal a browser's Origin header.
  return `https://${host}${publicPort === 443 ? "" : `:${publicPort}`}`;
}

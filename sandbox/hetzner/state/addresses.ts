import { unavailable } from "../wire/errors.ts";

/** First and last host given to servers; those below are the sandbox's own. */
const firstHost = 10;
const lastHost = 250;

/**
 * The lowest free address of a /24.
 *
 * @param subnet like `10.213.7.0/24`
 * @throws ApiError `resource_unavailable` when none is left
 */
export function freeIpv4(subnet: string, taken: ReadonlySet<string>): string {
  const match = /^(\d+\.\d+\.\d+)\.0\/24$/.exec(subnet);
  if (match === null) {
    throw new Error(`not a /24 network: ${subnet}`);
  }
  for (let host = firstHost; host <= lastHost; host++) {
    const address = `${match[1]}.${host}`;
    if (!taken.has(address)) {
      return address;
    }
  }
  throw unavailable(`no free IPv4 address: ${subnet} is used up`);
}

/** A /64 out of the documentation prefix (RFC 3849): shown, routed nowhere. */
export function documentationIpv6(id: number): string {
  const high = Math.floor(id / 0x1_0000) & 0xffff;
  return `2001:db8:${high.toString(16)}:${(id & 0xffff).toString(16)}::/64`;
}

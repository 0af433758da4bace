import { OperatorError } from "../../shared/errors.ts";

/** A range of addresses and who holds it, as an operator would look for it. */
export interface TakenRange {
  readonly cidr: string;
  readonly by: string;
}

const POOL = "10.213";

/** First and last address of an IPv4 CIDR as numbers; undefined when it is not one. */
export function cidrRange(cidr: string): readonly [number, number] | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(cidr);
  if (!match) return undefined;
  const [, ...parts] = match;
  const octets = parts.slice(0, 4).map(Number);
  const bits = parts[4] === undefined ? 32 : Number(parts[4]);
  if (bits > 32 || octets.some((octet) => octet > 255)) return undefined;
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - bits);
  const first = Math.floor(address / size) * size;
  return [first, first + size - 1];
}

export function overlaps(a: string, b: string): boolean {
  const [x, y] = [cidrRange(a), cidrRange(b)];
  return x !== undefined && y !== undefined && x[0] <= y[1] && y[0] <= x[1];
}

/** Address number `host` of a /24. */
export function hostAddress(subnet: string, host: number): string {
  return subnet.replace(/\d+\/24$/, String(host));
}

/** The first /24 of 10.213.0.0/16 that nothing on this machine uses. */
export function firstFreeSubnet(taken: readonly TakenRange[]): string {
  for (let slot = 0; slot < 256; slot++) {
    const subnet = `${POOL}.${slot}.0/24`;
    if (!taken.some((range) => overlaps(range.cidr, subnet))) return subnet;
  }
  throw new OperatorError({
    key: "sandbox subnet",
    found: `every /24 of ${POOL}.0.0/16 is in use`,
    allowed: "a free private IPv4 /24",
    fix: "close a sandbox with `npm run sandbox:down`, or name a subnet in VPAI_SANDBOX_SUBNET",
  });
}

/** The subnet that the operator asked for, if it is a private /24 that nothing uses. */
export function explicitSubnet(wanted: string, taken: readonly TakenRange[]): string {
  const allowed = "a private IPv4 /24 that nothing on this machine uses, such as 10.213.7.0/24";
  const isPrivate = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].some((range) => overlaps(range, wanted));
  if (!/^(\d+\.){3}0\/24$/.test(wanted) || !isPrivate) {
    throw new OperatorError({ key: "VPAI_SANDBOX_SUBNET", found: wanted, allowed, fix: "correct or unset it" });
  }
  const holder = taken.find((range) => overlaps(range.cidr, wanted));
  if (holder) {
    throw new OperatorError({
      key: "VPAI_SANDBOX_SUBNET",
      found: `${wanted} is in use by ${holder.by} (${holder.cidr})`,
      allowed,
      fix: "unset it to have a free one chosen, or free the range",
    });
  }
  return wanted;
}

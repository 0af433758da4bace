import { BlockList, isIP, SocketAddress } from "node:net";

/** An address range in CIDR notation, as numbers. */
export interface AddressRange {
  readonly family: "ipv4" | "ipv6";
  readonly prefix: number;
  /** The address as written, and the first one of its network. */
  readonly address: bigint;
  readonly network: bigint;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;

/** Parses `198.51.100.0/24` or `2001:db8::/32`; undefined for anything else. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || !/^\d{1,3}$/.test(length)) return undefined;
  const family = version === 4 ? "ipv4" : "ipv6";
  const prefix = Number(length);
  if (prefix > BITS[family]) return undefined;
  const value = version === 4 ? number4(address) : number6(address);
  const host = (1n << BigInt(BITS[family] - prefix)) - 1n;
  return { family, prefix, address: value, network: value & ~host };
}

/** The range with its host bits cleared, in canonical form. */
export function networkText({ family, network, prefix }: AddressRange): string {
  return `${family === "ipv4" ? text4(network) : text6(network)}/${prefix}`;
}

/** Whether every address of `inner` is in `outer`; a range contains itself. */
export function contains(outer: AddressRange, inner: AddressRange): boolean {
  const host = (1n << BigInt(BITS[outer.family] - outer.prefix)) - 1n;
  return outer.family === inner.family && outer.prefix <= inner.prefix && (inner.network & ~host) === outer.network;
}

/** Whether an IPv4 address is in one of the ranges. */
export function inRanges(address: string, ranges: readonly string[]): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = "", prefix = ""] = range.split("/");
    list.addSubnet(network, Number(prefix), "ipv4");
  }
  return list.check(address, "ipv4");
}

const number4 = (address: string): bigint =>
  address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);

const text4 = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");

function number6(address: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (dotted) {
    const last = number4(dotted[2] ?? "");
    return number6(`${dotted[1] ?? ""}${(last >> 16n).toString(16)}:${(last & 0xffffn).toString(16)}`);
  }
  const [head = "", tail] = address.split("::");
  const groups = (text: string | undefined): string[] => (text ? text.split(":") : []);
  const [left, right] = [groups(head), groups(tail)];
  const middle = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...middle, ...right].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

function text6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}

import type { ServiceSettings } from "./settings.ts";

type VpnSettings = Pick<ServiceSettings, "vpn">;

/** The interface of the VPN on the server, as tailscaled calls it. */
export const VPN_INTERFACE = "tailscale0";

/**
 * The addresses that Headscale and Tailscale give to members.
 *
 * Source: https://tailscale.com/kb/1015/100.x-addresses and Headscale's example configuration (prefixes).
 */
export const VPN_PREFIXES = { ipv4: "100.64.0.0/10", ipv6: "fd7a:115c:a1e0::/48" } as const;

/** Whether the server is a member of a VPN. */
export const hasVpn = ({ vpn }: VpnSettings): boolean => vpn.host || vpn.controlUrl !== undefined;

/** Address ranges of the VPN's members; none without a VPN. */
export const vpnRanges = (settings: VpnSettings): readonly string[] =>
  hasVpn(settings) ? Object.values(VPN_PREFIXES) : [];

/** Address ranges for which VPN-only routes answer. */
export const vpnSources = (settings: Pick<ServiceSettings, "vpn" | "vpnCidrs">): readonly string[] => [
  ...new Set([...settings.vpnCidrs, ...vpnRanges(settings)]),
];

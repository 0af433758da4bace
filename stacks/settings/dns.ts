import { OVH_ENDPOINTS } from "../../components/dns/endpoints.ts";
import type { ZonePlace } from "../../components/dns/open-zone.ts";
import { HETZNER_ENDPOINT } from "../../components/vps/hetzner/api.ts";
import type { Settings } from "./parse.ts";

/** Where the records are written; undefined where they are made by hand, or not at all. */
export function zonePlace({ dns, hetznerEndpoint, ovhEndpoint }: Settings): ZonePlace | undefined {
  const { provider, zone } = dns;
  if (provider === "none" || zone === undefined) return undefined;
  const endpoint =
    provider === "ovh" ? (ovhEndpoint ?? OVH_ENDPOINTS[dns.region]) : (hetznerEndpoint ?? HETZNER_ENDPOINT);
  return { provider, zone, endpoint };
}

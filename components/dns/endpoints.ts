/** OVH's regions (https://github.com/ovh/node-ovh, lib/endpoints.js). */
export const OVH_ENDPOINTS = {
  "ovh-eu": "https://eu.api.ovh.com/1.0",
  "ovh-ca": "https://ca.api.ovh.com/1.0",
  "ovh-us": "https://api.us.ovhcloud.com/1.0",
} as const;

export type OvhRegion = keyof typeof OVH_ENDPOINTS;
export const OVH_REGIONS = ["ovh-eu", "ovh-ca", "ovh-us"] as const satisfies readonly OvhRegion[];

import type { NetworkName } from "../service/definition.ts";

/** The networks of a host. An internal one has no way out, so what must not talk to the world cannot. */
export const NETWORKS: Readonly<
  Record<NetworkName, { readonly subnet: string; readonly gateway: string; readonly internal: boolean }>
> = {
  frontend: { subnet: "172.20.1.0/24", gateway: "172.20.1.1", internal: false },
  backend: { subnet: "172.20.2.0/24", gateway: "172.20.2.1", internal: true },
  monitoring: { subnet: "172.20.3.0/24", gateway: "172.20.3.1", internal: true },
  egress: { subnet: "172.20.4.0/24", gateway: "172.20.4.1", internal: false },
};

import type { NetworkName } from "../service/model/facets.ts";

export interface NetworkPlan {
  readonly subnet: string;
  readonly gateway: string;
  /** Without a way out: what must not talk to the world cannot. */
  readonly internal: boolean;
  /** Its members do not see each other: it only leads out. */
  readonly isolated: boolean;
}

/** Holds the subnets of all networks. */
export const CONTAINER_RANGE = "172.20.0.0/16";

const network = (third: number, kind: Partial<NetworkPlan> = {}): NetworkPlan => ({
  subnet: `172.20.${third}.0/24`,
  gateway: `172.20.${third}.1`,
  internal: false,
  isolated: false,
  ...kind,
});

/** The networks of a host. */
export const NETWORKS: Readonly<Record<NetworkName, NetworkPlan>> = {
  frontend: network(1),
  backend: network(2, { internal: true }),
  monitoring: network(3, { internal: true }),
  egress: network(4, { isolated: true }),
  // Docker API proxy and its clients only.
  socket: network(5, { internal: true }),
};

/** Names of the networks that keep their members apart. */
export const ISOLATED: ReadonlySet<string> = new Set(
  Object.entries(NETWORKS).flatMap(([name, { isolated }]) => (isolated ? [name] : [])),
);

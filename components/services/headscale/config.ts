import type { ServiceContext } from "../../service/model/context.ts";
import { publicOrigin } from "../../service/model/public-origin.ts";
import { VPN_PREFIXES } from "../../service/model/vpn.ts";
import { HEADSCALE_PORT, OWNER, SERVER_ADDRESS, SERVER_TAG } from "../../vpn/headscale.ts";

/** First label of the control server's host name. */
export const SUBDOMAIN = "vpn";
/** Clients ask it for the address that the world sees them at. */
export const STUN_PORT = 3478;
/** Where the image's program looks for its configuration. */
export const CONFIG_DIR = "/etc/headscale";
export const DATA_DIR = "/var/lib/headscale";

/**
 * Headscale's configuration.
 *
 * A member asks it for the hosts of the VPN alone, and its own resolver for everything else: an empty list of name servers
 * for a host means that the answer is here (tailscale#2706). Relays: its own one, so that nothing depends on a third party.
 *
 * Source: config-example.yaml of Headscale 0.29.3.
 */
export function headscaleConfig(context: Pick<ServiceContext, "domain" | "publicPort" | "routes">): string {
  const hosts = context.routes.flatMap(({ host, audience }) => (audience === "vpn" ? [host] : []));
  const split = hosts.map((host) => `      ${host}: []\n`).join("");
  const records = hosts.map((host) => `    - { name: ${host}, type: A, value: ${SERVER_ADDRESS} }\n`).join("");
  return `server_url: ${publicOrigin(context, SUBDOMAIN)}
listen_addr: 0.0.0.0:${HEADSCALE_PORT}
metrics_listen_addr: 127.0.0.1:9090
grpc_listen_addr: 127.0.0.1:50443
disable_check_updates: true
unix_socket: /tmp/headscale.sock
noise:
  private_key_path: ${DATA_DIR}/noise_private.key
prefixes:
  v4: ${VPN_PREFIXES.ipv4}
  v6: ${VPN_PREFIXES.ipv6}
  allocation: sequential
database:
  type: sqlite
  sqlite:
    path: ${DATA_DIR}/db.sqlite
    write_ahead_log: true
derp:
  server:
    enabled: true
    region_id: 999
    region_code: server
    region_name: The server
    verify_clients: true
    stun_listen_addr: 0.0.0.0:${STUN_PORT}
    private_key_path: ${DATA_DIR}/derp_server_private.key
    automatically_add_embedded_derp_region: true
  urls: []
  paths: []
  auto_update_enabled: false
policy:
  mode: file
  path: ${CONFIG_DIR}/policy.json
dns:
  magic_dns: true
  base_domain: machines.${context.domain}
  override_local_dns: false
  nameservers:
    global: []
    split:${split === "" ? " {}\n" : `\n${split}`}  search_domains: []
  extra_records:${records === "" ? " []\n" : `\n${records}`}logtail:
  enabled: false
log:
  level: warn
  format: json
`;
}

/** Who may reach whom: the owner's machines reach each other and the server, and the server reaches none of them. */
export const headscalePolicy = (): string =>
  `${JSON.stringify(
    {
      tagOwners: { [SERVER_TAG]: [`${OWNER}@`] },
      acls: [{ action: "accept", src: [`${OWNER}@`], dst: [`${OWNER}@:*`, `${SERVER_TAG}:*`] }],
    },
    undefined,
    2,
  )}\n`;

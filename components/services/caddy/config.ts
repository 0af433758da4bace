import { isTrial } from "../../service/model/issuer.ts";
import type { Route } from "../../service/model/context.ts";
import type { RefusalLog } from "../../service/model/facets.ts";

/** Caddy's health endpoint: plain HTTP inside its container, on no network (`localhost` could mean ::1). */
export const HEALTH_ADDRESS = "127.0.0.1:9180";

/** On the host: the certificate of Caddy's own authority, which signs all others. */
export const ROOT_CERTIFICATE = "/opt/vpai/data/caddy/data/caddy/pki/authorities/local/root.crt";

/** Where the container has the log of its requests. */
export const LOG_DIR = "/log";
const LOG_FILE = "access.log";

/**
 * Requests that were answered with 401 or 403: wrong passwords, and hosts of the VPN asked from outside. The address comes
 * first in the line, whose time fail2ban has cut out, and quotes in what a client has sent are escaped: no client can write the address of another.
 */
export const REFUSALS: RefusalLog = {
  path: `log/${LOG_FILE}`,
  refusal: String.raw`^\{"level":"info",,"logger":"[\w.]+","msg":"handled request","request":\{"remote_ip":"<ADDR>",.*\},"duration":[\d.e-]+,"size":\d+,"status":40[13]\}$`,
  time: String.raw`"ts":"%Y-%m-%dT%H:%M:%S%z"`,
  // A page of an admin host asks for dozens of files. Who has them all refused, and opens it again, is not an attacker yet.
  limit: 100,
};

/** Caddy's metrics endpoint: plain HTTP, on a port that is not published. */
export const METRICS_PORT = 9181;

/**
 * How long a WebSocket outlives the configuration it was opened under: a reload closes all of them at once otherwise, of
 * unchanged routes too. It is also how long a client stays connected that a new rule keeps out.
 */
const STREAM_CLOSE_DELAY = "24h";

/**
 * The Caddyfile of a deployment: the domain's own `/health`, the metrics, and one site a route. Routes for the VPN
 * answer only to `vpnCidrs`.
 */
export function renderCaddyfile(
  domain: string,
  routes: readonly Route[],
  vpnCidrs: readonly string[],
  acmeDirectory?: string,
): string {
  const sites = routes.map((route) => site(route, vpnCidrs));
  return [global(acmeDirectory), common(acmeDirectory), health(), metrics(), home(domain), ...sites].join("\n");
}

const global = (acmeDirectory: string | undefined): string => `{
	admin localhost:2019${acmeDirectory === undefined ? "" : `\n	acme_ca ${acmeDirectory}`}
	persist_config off
	shutdown_delay 1s
	grace_period 10s
	metrics {
		per_host
	}
}
`;

/**
 * What every public host has. Certificates: by HTTP-01 or TLS-ALPN-01, which Caddy answers before any route, so that hosts
 * for the VPN get one too. A browser that has once seen a valid one comes by TLS alone for
 * half a year, so an authority for trials does not ask for that.
 *
 * Before it ends, Caddy has a second in which it goes on and asks clients to close their connections: a request on one that
 * it closes by itself would be lost. New connections are held by then (files/host/hold.sh).
 */
const common = (acmeDirectory: string | undefined): string => `(common) {
${log()}${acmeDirectory === undefined ? "	tls internal\n" : isTrial(acmeDirectory) ? "" : "	header Strict-Transport-Security max-age=15552000\n"}	header -Server
	@ending {
		vars {http.shutting_down} true
		not protocol http/3
	}
	header @ending Connection close
}
`;

/** What the ban of clients needs, and its owner for an inquiry. A query may hold a key, and headers do. */
const log = (): string => `	log {
		output file ${LOG_DIR}/${LOG_FILE} {
			roll_size 20MiB
			roll_keep 2
		}
		format filter {
			wrap json {
				time_format rfc3339
			}
			request>headers delete
			request>tls delete
			request>uri regexp \\?.*$ ?
			request>remote_port delete
			request>client_ip delete
			resp_headers delete
			user_id delete
			bytes_read delete
		}
	}
`;

const metrics = (): string => `http://:${METRICS_PORT} {
	metrics /metrics
}
`;

const health = (): string => `http://${HEALTH_ADDRESS} {
	bind 127.0.0.1
	respond /health 200
}
`;

const home = (domain: string): string => `${domain} {
	import common
	respond /health "ok" 200
	respond 404
}
`;

/**
 * One upstream, so that a request either reaches it or waits: while the container is replaced its healthPath fails, and
 * requests are held instead of being answered by something half started. A failed connection counts as not ready for
 * three seconds, because the next look may come late.
 *
 * A request that no connection came about for is sent again: Caddy retries those by itself. After a broken connection,
 * which a container that ends may leave, a GET is repeated as well, unless a GET does something there (`oncePaths`): a
 * webhook would run twice. Go's client repeats one whose kept-alive connection broke, wherever: so none is kept.
 */
const site = (
  { host, upstream, healthPath, upstreamWaitSeconds, audience, denyPaths, oncePaths }: Route,
  cidrs: readonly string[],
): string =>
  `${host} {
	import common
${
  audience === "vpn"
    ? `	@outside ${outside(cidrs)}
	respond @outside 403
`
    : ""
}${
    denyPaths.length > 0
      ? `	@denied path ${denyPaths.join(" ")}
	respond @denied 404
`
      : ""
  }	reverse_proxy ${upstream} {
		lb_try_duration ${upstreamWaitSeconds}s
		lb_try_interval 250ms
		lb_retry_match {
			method GET HEAD${oncePaths.length > 0 ? `\n			not path ${oncePaths.join(" ")}` : ""}
		}
		fail_duration 3s
		health_uri ${healthPath}
		health_interval 500ms
		health_timeout 2s
		health_passes 1
		health_fails 1
		transport http {
			dial_timeout 2s
			keepalive off
		}
		stream_close_delay ${STREAM_CLOSE_DELAY}
	}
}
`;

/** By the address that the connection comes from: a header could say anything. */
const outside = (cidrs: readonly string[]): string =>
  cidrs.length === 0 ? "remote_ip 0.0.0.0/0 ::/0" : `not remote_ip ${cidrs.join(" ")}`;

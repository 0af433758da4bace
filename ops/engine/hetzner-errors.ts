import type { Fault } from "../../shared/errors.ts";

interface Cause {
  readonly found: string;
  readonly fix: string;
}

const RETRY = "run the same command again";
const STATUS_PAGE = "see status.hetzner.com, then run the same command again";
const REFRESH = "`vpai refresh --stack {stack}`, then `vpai up --stack {stack}`";
const NEW_TOKEN =
  "make a token with read and write access in the Hetzner console, then `pulumi config set --secret vpai:hetznerToken`";
const UNSUPPORTED =
  "report it as a fault of this program, with the log: it asked for what this server or address cannot have";

/** Hetzner has two codes for it. */
const ASSIGNED: Cause = {
  found: "the address belongs to another server",
  fix: "see `hcloud primary-ip list`; unassign it, or delete the other server, then run the same command again",
};

/**
 * What each error code of Hetzner's API means for a stack of this program. Codes: hcloud-go 2, `hcloud/error.go`, without
 * those of load balancers, networks and certificates, which this program does not use. `unauthorized`,
 * `resource_unavailable` and `uniqueness_error` say more: see error-hints.ts.
 */
const causes: Readonly<Record<string, Cause>> = {
  service_error: { found: "Hetzner's service failed", fix: STATUS_PAGE },
  server_error: { found: "Hetzner's API failed", fix: STATUS_PAGE },
  unknown_error: { found: "Hetzner's API failed without a reason", fix: STATUS_PAGE },
  timeout: { found: "Hetzner's API did not answer in time", fix: RETRY },
  rate_limit_exceeded: {
    found: "too many requests with this token: Hetzner allows 3600 an hour",
    fix: "wait a minute, then run the same command again; give other programs a token of another project",
  },
  not_found: {
    found: "what the state names no longer exists at Hetzner",
    fix: "`vpai refresh --stack {stack}` takes it out of the state; `vpai up --stack {stack}` then makes it again",
  },
  invalid_input: {
    found: "Hetzner rejected a value of the request",
    fix: "the line above names the field; correct that setting in Pulumi.{stack}.yaml",
  },
  json_error: { found: "Hetzner could not read the request", fix: UNSUPPORTED },
  forbidden: { found: "the token may not do this", fix: NEW_TOKEN },
  token_readonly: { found: "the token may only read", fix: NEW_TOKEN },
  locked: {
    found: "another action runs on it at Hetzner",
    fix: "wait until that has ended, then run the same command again",
  },
  resource_locked: { found: "Hetzner has locked it", fix: "ask Hetzner's support why; only they can unlock it" },
  resource_limit_exceeded: {
    found: "the project's limit of this kind of resource is reached",
    fix: "delete what is not needed, or ask for a higher limit in the Hetzner console (Limits)",
  },
  protected: {
    found: "it is protected against deletion at Hetzner",
    fix: "if it is to be deleted, `pulumi config set vpai:protect false`, then `vpai up --stack {stack}`; a protection that was set by hand goes in the Hetzner console",
  },
  maintenance: { found: "Hetzner is doing maintenance on it", fix: STATUS_PAGE },
  conflict: { found: "it changed at Hetzner during the request", fix: RETRY },
  robot_unavailable: { found: "Hetzner's Robot does not answer", fix: STATUS_PAGE },
  unsupported_error: { found: "Hetzner does not offer this for it", fix: UNSUPPORTED },
  deprecated_api_endpoint: {
    found: "Hetzner has removed this part of its API",
    fix: "update this program; the change is in Hetzner's API changelog",
  },
  invalid_server_type: {
    found: "the server type does not fit or is no longer sold",
    fix: "set `serverType` in Pulumi.{stack}.yaml to another; `hcloud server-type list` lists them",
  },
  server_not_stopped: {
    found: "the server must be off for this",
    fix: "`hcloud server shutdown`, then run the same command again",
  },
  placement_error: {
    found: "Hetzner found no host for the server",
    fix: "run the same command again, or set another `serverType` or `location`",
  },
  primary_ip_assigned: ASSIGNED,
  primary_ip_already_assigned: ASSIGNED,
  primary_ip_datacenter_mismatch: {
    found: "the address is at another location than the server",
    fix: "set `location` to the address's, or delete the address: the next run orders one at the server's location",
  },
  primary_ip_version_mismatch: {
    found: "an IPv6 address stands where an IPv4 address must, or the reverse",
    fix: UNSUPPORTED,
  },
  server_has_ipv4: { found: "the server already has an IPv4 address", fix: REFRESH },
  server_has_ipv6: { found: "the server already has an IPv6 address", fix: REFRESH },
  server_already_attached: { found: "the server is already attached to it", fix: REFRESH },
  firewall_already_applied: { found: "the firewall is already applied to the server", fix: REFRESH },
  server_already_added: { found: "the server is already in the firewall", fix: REFRESH },
  resource_in_use: {
    found: "it is still in use by another resource at Hetzner",
    fix: "see `hcloud firewall describe`; a server that this stack did not make uses it",
  },
  must_be_unassigned: {
    found: "the address still belongs to a server",
    fix: "see `hcloud primary-ip list`; once that server is deleted, or off and the address unassigned, run the same command again",
  },
  unavailable: { found: "what was asked for is not available at Hetzner now", fix: STATUS_PAGE },
  firewall_resource_not_found: { found: "the server of the firewall no longer exists", fix: REFRESH },
  firewall_managed_by_label_selector: {
    found: "a firewall is applied by a label selector, which this program does not use",
    fix: "remove the selector from the firewall in the Hetzner console",
  },
  private_net_only_server: {
    found: "the server has no public address, so no firewall can be applied",
    fix: "give the server a public address in the Hetzner console, or replace it",
  },
  no_space_left_in_location: {
    found: "Hetzner has no space for volumes left at this location",
    fix: "set another `location`, or run the same command again later",
  },
  volume_already_attached: {
    found: "the volume is attached to another server",
    fix: "`hcloud volume detach`, then run the same command again",
  },
};

/** As hcloud-go prints an error: `message (code)`, or `message (code, correlation id)`. */
const CODE = /(?:^|[:\s])([^\n:]*?) ?\(([a-z0-9_]+)(?:, ([0-9a-f]+))?\)/gm;

/** As the provider's newer resources (SSH keys) print it: the message, a blank line, the code. */
const CODE_BELOW = /^[ \t]*([^\n]*)\n[ \t]*\n[ \t]*Error code: ([a-z0-9_]+)$/gm;

/** The errors of Hetzner's API in the engine's output, each code once, at the resource that `at` names. */
export function hetznerFaults(output: string, stack: string, at: (index: number) => string): Fault[] {
  const faults = new Map<string, Fault>();
  for (const match of [...output.matchAll(CODE), ...output.matchAll(CODE_BELOW)]) {
    const [text, message = "", code = "", id] = match;
    const cause = causes[code];
    if (cause === undefined || faults.has(code)) continue;
    const reference = id === undefined ? code : `${code}, ${id}`;
    const words = message.trim() === "" ? "" : `: "${message.trim()}"`;
    faults.set(code, {
      key: `Hetzner ${at(match.index + text.length)}`,
      found: `${cause.found} (${reference})${words}`,
      fix: cause.fix.replaceAll("{stack}", stack),
    });
  }
  return [...faults.values()];
}

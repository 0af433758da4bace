import { inRanges } from "../../shared/address-range.ts";
import type { Fault } from "../../shared/errors.ts";

type Env = Readonly<Record<string, string | undefined>>;

const MAX_STACK_NAME = 24;

/**
 * A stack's name becomes a host name at Hetzner (RFC 1123: lower-case letters, digits, hyphens), the value of a label
 * there (at most 63 characters), file names, and the path of SSH's control socket (108 bytes in all, unix(7)).
 */
export function stackNameFaults(stack: string): Fault[] {
  const fits = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(stack) && stack.length <= MAX_STACK_NAME;
  if (fits) return [];
  return [
    {
      key: `stack ${stack}`,
      found: "a name that cannot be a part of a host name",
      allowed: `1 to ${MAX_STACK_NAME} lower-case letters, digits and hyphens, with a letter or digit at both ends`,
      fix: `rename Pulumi.${stack}.yaml`,
    },
  ];
}

/**
 * Ports that browsers refuse to open, for the protocols that had them first.
 * Source: https://fetch.spec.whatwg.org/#port-blocking, 2025.
 */
const BLOCKED_PORTS = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
]);

/** The variables that the program reads. */
export function environmentFaults(env: Env): Fault[] {
  return [
    ...publicPortFaults(env["VPAI_PUBLIC_PORT"]),
    ...endpointFaults(env["HCLOUD_ENDPOINT"]),
    ...workFolderFaults(env["VPAI_WORK"]),
  ];
}

/**
 * SSH's control socket lies in it, and is first bound under a temporary name of 17 more bytes (OpenSSH, mux.c). A socket's
 * path has at most 107 bytes (unix(7)); beyond it every connection fails, after the server was made.
 */
const MAX_WORK_FOLDER = 107 - 17 - "/ssh/0123456789".length;

function workFolderFaults(folder: string | undefined): Fault[] {
  if (folder === undefined || Buffer.byteLength(folder) <= MAX_WORK_FOLDER) return [];
  return [
    {
      key: "VPAI_WORK",
      found: `a path of ${Buffer.byteLength(folder)} bytes`,
      allowed: `at most ${MAX_WORK_FOLDER}, because of SSH's control socket in it`,
      fix: "set it to a shorter path, or unset it",
    },
  ];
}

function publicPortFaults(port: string | undefined): Fault[] {
  if (port === undefined) return [];
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  if (isPort && !BLOCKED_PORTS.has(Number(port))) return [];
  return [
    {
      key: "VPAI_PUBLIC_PORT",
      found: isPort ? `${port}, which browsers refuse to open` : port,
      allowed: isPort ? "a port that the Fetch standard does not block" : "a port: a whole number from 1 to 65535",
      fix: "correct it, or unset it for 443",
    },
  ];
}

const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8"];

/** Hetzner's API: the token goes there, so in clear text over a private network alone. */
function endpointFaults(endpoint: string | undefined): Fault[] {
  if (!endpoint) return [];
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isPrivate = url !== undefined && /^[\d.]+$/.test(url.hostname) && inRanges(url.hostname, PRIVATE);
  const safe = url?.protocol === "https:" || (url?.protocol === "http:" && (isPrivate || url.hostname === "localhost"));
  if (safe && url.username === "") return [];
  return [
    {
      key: "HCLOUD_ENDPOINT",
      found: url?.username ? "a URL with a user in it" : endpoint,
      allowed: "an https URL with its version, such as https://api.hetzner.cloud/v1; http to a private address",
      fix: "correct it, or unset it for Hetzner's own",
    },
  ];
}

import type { HttpRequest } from "../../components/service/model/provision.ts";

/** What `files/host/inspect.py` reads on a server. */
export interface InspectRequest {
  /** Files whose digest, mode and owner are read. */
  readonly files: readonly string[];
  /** Folders whose every file is listed. */
  readonly trees: readonly string[];
  /** Folders whose mode, owner and emptiness are read. */
  readonly folders: readonly string[];
  readonly mounts: readonly Mount[];
  readonly units: readonly string[];
  readonly packages: readonly string[];
  readonly user: string;
  /** Settings of Docker's daemon.json. */
  readonly daemon: readonly string[];
  /** TCP ports that are expected to be listening. */
  readonly listening: readonly number[];
  /** Commands in containers that are healthy. */
  readonly readbacks: readonly {
    readonly container: string;
    readonly argv: readonly string[];
    readonly stdin: string;
  }[];
  /** Requests to containers that are healthy; of an answer only the members of `wanted` are returned. */
  readonly probes: readonly (Asked & { readonly wanted: unknown })[];
}

/** A request to a container's own port. */
export interface Asked {
  readonly container: string;
  readonly port: number;
  readonly request: HttpRequest;
}

export interface Mount {
  readonly container: string;
  readonly source: string;
  readonly target: string;
}

/** Its answer. */
export interface Actual {
  /** The address that the connection of the inspection comes from. */
  readonly client: string | null;
  readonly docker:
    | { readonly error: string }
    | {
        readonly version: string;
        readonly containers: readonly ActualContainer[];
        readonly networks: readonly ActualNetwork[];
        /** Ids of all images. */
        readonly images: readonly string[];
      };
  readonly paths: Readonly<Record<string, ActualPath | null>>;
  /** Every file below each of the request's trees. */
  readonly trees: Readonly<Record<string, readonly string[]>>;
  /** `same`: whether the container sees the folder at the path; null when that cannot be seen, as it does not run. */
  readonly mounts: readonly (Mount & { readonly same: boolean | null })[];
  readonly units: Readonly<Record<string, { readonly enabled: string; readonly active: string }>>;
  readonly packages: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly string[] } | null;
  /** Effective settings of sshd, in lower case. */
  readonly sshd: Readonly<Record<string, readonly string[]>>;
  /** The asked settings of daemon.json that are there, each as JSON. */
  readonly daemon: Readonly<Record<string, string>>;
  /** Docker's own rules in iptables: networks with a way out, and whether packets are forwarded; null where unknown. */
  readonly rules: { readonly masqueraded: readonly string[]; readonly forwarding: boolean } | null;
  /**
   * The server's own firewall. Digests: of the table that was kept, of what nftables listed when it was, and of what it
   * lists now; null for what is not there.
   */
  readonly firewall: { readonly kept: string | null; readonly recorded: string | null; readonly listed: string | null };
  /** TCP ports that other machines reach. `process` is empty for an expected port. */
  readonly listening: readonly { readonly port: number; readonly process: string }[];
  /** In the request's order; null for a container that is not healthy. */
  readonly readbacks: readonly ({
    readonly container: string;
    readonly lines: readonly string[];
    readonly error: string;
  } | null)[];
  /** In the request's order; null for a container that is not healthy, status 0 without an answer. */
  readonly probes: readonly ({ readonly status: number; readonly json: unknown } | null)[];
}

export interface ActualContainer {
  readonly name: string;
  readonly id: string;
  readonly image: string;
  readonly status: string;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly health: string;
  readonly networks: readonly string[];
  /** Bytes; 0 for no limit. */
  readonly memory: number;
  readonly memorySwap: number;
  readonly nanoCpus: number;
  readonly pids: number;
  readonly restart: string;
  /** How often Docker has restarted it since it was last started by a client. */
  readonly restarts?: number;
  /** The label `vpai.service`. */
  readonly service: string | null;
}

export interface ActualNetwork {
  readonly name: string;
  readonly id: string;
  readonly subnets: readonly string[];
  readonly internal: boolean;
}

export interface ActualPath {
  readonly kind: "file" | "folder" | "link" | "other";
  readonly mode: string;
  readonly owner: readonly [uid: number, gid: number];
  readonly sha256?: string;
  readonly empty?: boolean;
}

/** The text for `python3 -` on the server: the script, and its call with the request. */
export function renderInspection(script: string, request: InspectRequest): string {
  // A JSON string is a valid Python string: ASCII but for what JSON leaves as it is.
  return `${script}\n\nmain(json.loads(${JSON.stringify(JSON.stringify(request))}))\n`;
}

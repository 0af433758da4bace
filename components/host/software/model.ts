/** A file of root's. */
export interface SoftwareFile {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
}

/** A file that another program writes, and that has to be there before it does. */
export interface ExpectedLog {
  readonly path: string;
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** A command that succeeds, and prints what is expected, once what it is about works. It may take some seconds until then. */
export interface Proof {
  readonly argv: readonly string[];
  /** A regular expression of Python's, found in what it prints. @default anything */
  readonly expect?: string;
}

/** Software of Debian's on the server itself, next to the containers: what is installed, configured, and proved to work. */
export interface HostSoftware {
  /** Debian packages; what they recommend is not installed. */
  readonly packages: readonly string[];
  /** Written before the packages are installed: Debian starts a service with what it finds. */
  readonly files: readonly SoftwareFile[];
  readonly logs: readonly ExpectedLog[];
  /** systemd units: enabled, started, and restarted when a file has changed. */
  readonly units: readonly string[];
  readonly proofs: readonly Proof[];
}

/** The resource that installs it: what an inspection compares with, and what repairs it. */
export const HOST_SOFTWARE = "software-installed";

const GIVEN = /^SOFTWARE = (.*)$/m;

/** What `python3 -` on the server takes: the script, and the call that installs the software. */
export const renderHostSoftware = (script: string, software: HostSoftware): string =>
  // Two lines: a trace of Python's quotes the line of the call, and files may hold secrets.
  `${script}\nSOFTWARE = ${JSON.stringify(JSON.stringify(software))}\nmain(SOFTWARE)\n`;

/** The inverse of {@link renderHostSoftware}. */
export function parseHostSoftware(text: string): HostSoftware {
  const [, given] = GIVEN.exec(text) ?? [];
  if (given === undefined) throw new Error("no line with SOFTWARE in the script of the host's software");
  return JSON.parse(JSON.parse(given) as string) as HostSoftware;
}

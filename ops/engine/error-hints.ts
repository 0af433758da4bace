import { OperatorError, type Fault } from "../../shared/errors.ts";
import { hetznerFaults } from "./hetzner-errors.ts";
import { throughVpai } from "./plain-engine.ts";
import { serverFaults } from "./server-errors.ts";

/** Context of the run whose output is explained. */
export interface RunContext {
  readonly stack: string;
  /** File with the engine's full output, as the operator would open it. */
  readonly log: string;
  /** What Hetzner has at this moment, such as `cx33 at nbg1`; for "sold out". */
  readonly available?: readonly string[];
  /** Milliseconds since the epoch. @default the time of the call */
  readonly now?: number;
  /** The Hetzner API that was asked. */
  readonly endpoint?: string;
}

/** A lock as the engine names it in its refusal. */
export interface LockHolder {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** ISO time, UTC. */
  readonly since: string;
}

/** Every lock that the engine's "currently locked" refusal lists. */
export function lockHolders(output: string): LockHolder[] {
  return [...output.matchAll(/created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, user = "", host = "", pid = "", since = ""]) => ({ user, host, pid: Number(pid), since }),
  );
}

/** 4 min → `4 minutes`: how long ago something was, in its largest unit. */
export function age(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 1) return "less than a minute";
  const [count, unit] =
    minutes < 60
      ? [minutes, "minute"]
      : minutes < 48 * 60
        ? [Math.floor(minutes / 60), "hour"]
        : [Math.floor(minutes / 60 / 24), "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Who holds a lock, and since when. */
export function holderText({ user, host, pid, since }: LockHolder, now: number): string {
  const held = Number.isNaN(Date.parse(since)) ? "" : `, ${age(now - Date.parse(since))} ago`;
  return `${user}@${host} (pid ${pid}) since ${since}${held}`;
}

/** How to see whether the run that holds a lock is alive. */
export const aliveHint = ({ host, pid }: LockHolder): string =>
  `on ${host}, \`ps -p ${pid}\` shows whether it still runs; a CI job's page shows it too`;

export function lockedFault(stack: string, holder: LockHolder, now: number): Fault {
  return {
    key: `stack ${stack}`,
    found: `locked by ${holderText(holder, now)}`,
    fix: `wait for that run to end: ${aliveHint(holder)}. If it no longer runs, or ${holder.host} no longer exists, \`vpai recover --stack ${stack}\` removes the lock`,
  };
}

type Explainer = (output: string, context: RunContext) => Fault | undefined;

/** The resource whose diagnostics hold the match: the header `type (name):` above it. */
function resourceAt(output: string, index: number): string {
  const headers = [...output.slice(0, index).matchAll(/^ {2}(\S+) \(([^)]+)\):$/gm)];
  return headers.at(-1)?.[2] ?? "a resource";
}

const soldOut: Explainer = (output, { available = [] }) => {
  const match = /\(resource_unavailable(?:, [0-9a-f-]+)?\)|Error code: resource_unavailable/.exec(output);
  if (!match) return undefined;
  return {
    key: `Hetzner server ${resourceAt(output, output.lastIndexOf("resource_unavailable"))}`,
    found: "sold out: Hetzner has no capacity for this server type at this location (resource_unavailable)",
    ...(available.length === 0 ? {} : { allowed: available.join(", ") }),
    fix: "set `serverType` or `location` in the stack file to one that is available, or list fallbacks",
  };
};

const notUnique: Explainer = (output, { stack }) => {
  const at = output.lastIndexOf("uniqueness_error");
  if (at < 0) return undefined;
  const name = resourceAt(output, at);
  const before = output.slice(0, at);
  const isKey = /SSH key/i.test(before.slice(-400));
  return isKey
    ? {
        key: `Hetzner SSH key ${name}`,
        found: "this name or this public key is already registered in the Hetzner project (uniqueness_error)",
        allowed: "one Hetzner project a stack, or a key that is not yet there",
        fix: `remove it (\`hcloud ssh-key list\`); if an interrupted run left it, \`vpai recover --stack ${stack}\` does so`,
      }
    : {
        key: `Hetzner resource ${name}`,
        found: "its name is already taken in the Hetzner project (uniqueness_error)",
        allowed: "one Hetzner project a stack",
        fix: `if an interrupted run left it, run \`vpai recover --stack ${stack}\`; else rename or remove the other one`,
      };
};

const PROTECTED =
  /resource "[^"]*::([^":]+)"(?: as part of replacing "[^"]*")?(?: cannot be deleted)?\s+(?:as it is currently marked for protection|because it is protected)/g;

const isProtected: Explainer = (output, { stack }) => {
  const names = [...new Set([...output.matchAll(PROTECTED)].map(([, name = ""]) => name))];
  if (names.length === 0) return undefined;
  return {
    key: "vpai:protect",
    found: `true, and this run would delete ${names.join(", ")}`,
    allowed: "false, while the protected resources are deleted",
    fix: `save the data, \`pulumi config set vpai:protect false\`, \`vpai up --stack ${stack}\`, then what you wanted`,
  };
};

const explainers: readonly Explainer[] = [
  (output, { stack, now = Date.now() }) => {
    const [holder] = lockHolders(output);
    return output.includes("the stack is currently locked by") && holder ? lockedFault(stack, holder, now) : undefined;
  },
  (output, { stack }) =>
    output.includes("incorrect passphrase")
      ? {
          key: "PULUMI_CONFIG_PASSPHRASE",
          found: `not the passphrase of stack ${stack}`,
          fix: "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase it was made with",
        }
      : undefined,
  (output, { stack }) =>
    output.includes("passphrase must be set with")
      ? {
          key: "PULUMI_CONFIG_PASSPHRASE",
          found: "not set",
          fix: `set it, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase of stack ${stack}`,
        }
      : undefined,
  (output) =>
    output.includes("PULUMI_ACCESS_TOKEN must be set")
      ? {
          key: "PULUMI_BACKEND_URL",
          found: "not set: the engine does not know where the state is kept",
          allowed: "file:///path, s3://bucket?endpoint=…, or a login with `pulumi login`",
          fix: "set PULUMI_BACKEND_URL to the place of this stack's state",
        }
      : undefined,
  (output) => {
    const match = /unable to open state directory "([^"]+)"/.exec(output);
    return match
      ? {
          key: "PULUMI_BACKEND_URL",
          found: `${match[1] ?? ""} cannot be opened`,
          fix: "correct it, or make the folder",
        }
      : undefined;
  },
  (output, { endpoint }) =>
    /\(unauthorized(?:, [0-9a-f-]+)?\)|Error code: unauthorized/.test(output)
      ? {
          key: "Hetzner token",
          found: `refused by ${endpoint ?? "https://api.hetzner.cloud/v1"} (unauthorized)`,
          allowed: "an API token of the project, with read and write access",
          fix: "make one in the Hetzner console, then `pulumi config set --secret vpai:hetznerToken`, or set HCLOUD_TOKEN",
        }
      : undefined,
  (output) =>
    output.includes("entered token is invalid (must be exactly 64 characters long)")
      ? {
          key: "Hetzner token",
          found: "of a wrong length",
          allowed: "exactly 64 characters",
          fix: "copy it again from the Hetzner console into `vpai:hetznerToken` or HCLOUD_TOKEN",
        }
      : undefined,
  soldOut,
  notUnique,
  isProtected,
  (output) => {
    const match = /no resource plugin '([^']+)' found in the workspace at version v?(\S+)/.exec(output);
    return match
      ? {
          key: `engine plugin ${match[1] ?? ""}`,
          found: `not installed at ${match[2] ?? ""}`,
          fix: "run the command through `vpai`, which provides it; `vpai doctor` says what is missing",
        }
      : undefined;
  },
  (output) => {
    const match =
      /Error pinging Docker server.*?that (\S+) is reachable[^\n]*?(?:stderr=([^\n]+)|(Cannot connect[^\n]+?))(?::\sprovider|\n)/.exec(
        output,
      );
    if (!match) return undefined;
    const why = (match[2] ?? match[3] ?? "no answer").trim();
    const remote = (match[1] ?? "").startsWith("ssh://");
    return {
      key: `Docker daemon at ${match[1] ?? "?"}`,
      found: why,
      fix: remote
        ? "see that the server runs: `vpai ssh` opens the same connection"
        : "start Docker; `vpai doctor` looks at it",
    };
  },
];

/** The faults that the engine's output shows, in the operator's words; empty when it shows none that is known. */
export function explainFaults(output: string, context: RunContext): Fault[] {
  const explained = explainers.flatMap((explainer) => explainer(output, context) ?? []);
  const byHetzner = hetznerFaults(output, context.stack, (index) => resourceAt(output, index));
  const faults = [...explained, ...byHetzner];
  // A message of the server is often quoted by what failed because of it: it is named where nothing better is known.
  if (faults.length === 0) faults.push(...serverFaults(output, context));
  const reworded = (text: string): string => throughVpai(text, context.stack);
  return faults.map((fault) => ({
    ...fault,
    ...(fault.allowed && { allowed: reworded(fault.allowed) }),
    fix: reworded(fault.fix),
  }));
}

/** A failed run as the error that the operator sees. */
export function explain(output: string, context: RunContext): OperatorError {
  const faults = explainFaults(output, context);
  if (faults.length > 0) return new OperatorError(faults);
  const last = output
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("error:"))
    .at(-1);
  return new OperatorError({
    key: `stack ${context.stack}`,
    found: last === undefined ? "the engine failed; the lines marked ✗ say where" : last.slice("error:".length).trim(),
    fix: `read ${context.log}; once the cause is fixed, run the same command again`,
  });
}

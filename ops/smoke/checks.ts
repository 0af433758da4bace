import type { ServiceDefinition } from "../../components/service/model/definition.ts";
import type { Audience } from "../../components/service/model/facets.ts";
import type { Argv } from "../../components/service/model/operations.ts";
import type { PublicAddress } from "../../components/service/model/public-origin.ts";

/** Where a check is made: in the service's container, on the server through the edge, or from this machine. */
export type Place = "inside" | "edge" | "outside";

interface Common {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly withinSeconds: number;
}

export interface CommandCheck extends Common {
  readonly place: "inside";
  readonly argv: Argv;
  readonly prints: RegExp;
}

export interface RequestCheck extends Common {
  readonly place: "edge" | "outside";
  readonly url: string;
  readonly status: number;
  readonly body?: RegExp;
  readonly audience: Audience;
}

export type Check = CommandCheck | RequestCheck;

/** How long a host may take to get its certificate. */
const CERTIFICATE_SECONDS = 120;

/** Whether a check failed because a certificate is missing that may still be issued. */
export const waitsForCertificate = (check: Check, answer: Answer, seconds: number): boolean =>
  check.place !== "inside" &&
  answer.status === null &&
  seconds < CERTIFICATE_SECONDS &&
  /certificate|\b(?:SSL|TLS)\b|\balert\b|handshake/i.test(answer.text);

/**
 * The same result, unless its host's name leads elsewhere: then no certificate is issued yet, and that is not the stack's fault.
 *
 * @param addresses what the host's name leads to
 */
export function withoutRecord(result: Result, host: string, server: string, addresses: readonly string[]): Result {
  if (result.outcome !== "failed" || addresses.includes(server)) return result;
  const { expected: _expected, ...rest } = result;
  const leads = addresses.length === 0 ? "no record leads anywhere" : `it leads to ${addresses.join(", ")}`;
  return { ...rest, outcome: "skipped", found: `no certificate before ${host} leads to ${server}: ${leads}` };
}

/** Every check of these services; a request through the edge is made from two places. */
export function smokeChecks(definitions: readonly ServiceDefinition[], address: PublicAddress): Check[] {
  return definitions.flatMap(({ name: service, smoke, route }) =>
    smoke.flatMap((check, index): Check[] => {
      const { name, withinSeconds = 0 } = check;
      const common = (place: Place): Common => ({ id: `${service}/${index}/${place}`, service, name, withinSeconds });
      if ("exec" in check) {
        return [{ ...common("inside"), place: "inside", argv: check.exec, prints: check.prints }];
      }
      const { status, body } = check;
      const request = { url: check.url(address), status, ...(body && { body }), audience: route?.audience ?? "public" };
      return (["edge", "outside"] as const).map((place) => ({ ...common(place), place, ...request }));
    }),
  );
}

/** What came of a check. `status` is a command's exit code or that of HTTP; null: no answer, and `text` says why. */
export interface Answer {
  readonly status: number | null;
  readonly text: string;
  readonly ms: number;
}

export interface Result {
  readonly service: string;
  readonly name: string;
  readonly place: Place;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly ms: number;
  /** Why it did not pass. */
  readonly found?: string;
  /** What was expected, where it failed. */
  readonly expected?: string;
}

export function judge(check: Check, answer: Answer): Result {
  const { service, name, place } = check;
  const common = { service, name, place, ms: answer.ms };
  if (check.place !== "inside" && check.audience === "vpn" && answer.status === 403 && check.status !== 403) {
    const found = "403: this route answers to the VPN and to vpai:vpnCidrs alone";
    return { ...common, outcome: "skipped", found };
  }
  const [wanted, pattern] = check.place === "inside" ? [0, check.prints] : [check.status, check.body];
  const matches = pattern === undefined || pattern.test(answer.text.trim());
  if (answer.status === wanted && matches) return { ...common, outcome: "passed" };
  const kind = check.place === "inside" ? "exit code" : "status";
  const found = answer.status === null ? shortened(answer.text) : `${kind} ${answer.status}: ${shortened(answer.text)}`;
  const expected = `${kind} ${wanted}${pattern ? `, matching ${String(pattern)}` : ""}`;
  return { ...common, outcome: "failed", found, expected };
}

/** The last line with something in it: a trace's reason stands there. */
function shortened(text: string): string {
  const line = text.trim().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "nothing" : line.slice(0, 200);
}

/** A service that has just started may need a moment more than its health check, and so may what depends on it. */
const SETTLE_SECONDS = 60;

/** Whether a failed check may still pass. `ages`: seconds since each service's container started. */
export function mayStillPass(check: Check, ages: Readonly<Record<string, number | null>>): boolean {
  const known = Object.values(ages).filter((age) => age !== null);
  const own = ages[check.service] ?? Number.POSITIVE_INFINITY;
  return own < check.withinSeconds || Math.min(...known, Number.POSITIVE_INFINITY) < SETTLE_SECONDS;
}

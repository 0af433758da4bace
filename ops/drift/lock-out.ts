import type { DeclaredPort } from "../../components/host/firewall/plan.ts";
import { contains, parseRange } from "../../shared/address-range.ts";
import { type Fault } from "../../shared/errors.ts";

/**
 * Refuses settings that would keep this machine out of the server's sshd.
 *
 * @param client the address that the server sees this machine come from; null where it did not say
 */
export function lockOutFault(client: string | null, ports: readonly DeclaredPort[]): Fault | undefined {
  if (client === null) return undefined;
  const address = parseRange(`${client}/${client.includes(":") ? 128 : 32}`);
  const sources = ports.find(({ audience }) => audience === "ssh")?.sources ?? [];
  const isIn = (text: string): boolean => {
    const range = parseRange(text);
    return address !== undefined && range !== undefined && contains(range, address);
  };
  if (sources.some(isIn)) return undefined;
  return {
    key: "vpai:ssh.allowedCidrs",
    found: `${sources.join(", ")}, which would keep this machine out: the server sees it come from ${client}`,
    allowed: "ranges of which one contains the address that a run comes from",
    fix: `add ${address?.family === "ipv6" ? `${client}/128` : `${client}/32`}, or run this from an address that is in them`,
  };
}

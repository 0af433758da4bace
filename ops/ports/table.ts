import {
  ANYWHERE,
  type DeclaredPort,
  type Enforcement,
  FAMILIES,
  type Family,
  type FirewallPlan,
  rangesOf,
} from "../../components/host/firewall/plan.ts";
import { textTable } from "../stack/text-table.ts";

const ENFORCED: Readonly<Record<Enforcement, string>> = {
  hetzner: "Enforced by Hetzner's firewall and by the server's own, which drop everything else but ping.",
  host: "Enforced by the server's own firewall, which drops everything else but ping.",
};

/** What `vpai ports` prints. */
export const portsTable = (plan: FirewallPlan): string =>
  [
    textTable(
      ["PORT", "LISTENS", "FOR", "IPV4", "IPV6"],
      plan.ports.map((each) => [
        `${each.port}/${each.protocol}`,
        each.owner,
        each.audience,
        ...FAMILIES.map((family) => clients(family, each)),
      ]),
    ),
    ENFORCED[plan.enforcement],
    "",
  ].join("\n");

/** The clients of one family, in words. */
function clients(family: Family, { sources, listens }: DeclaredPort): string {
  if (!listens.includes(family)) return "nothing listens";
  const ranges = rangesOf(family, sources);
  if (ranges.some((range) => range === ANYWHERE[0] || range === ANYWHERE[1])) return "any address";
  return ranges.join(" ") || "closed";
}

/** The same for a program. */
export const portsJson = (plan: FirewallPlan): string => `${JSON.stringify(plan, undefined, 2)}\n`;

import { zoneLine } from "../../components/dns/record.ts";
import { dnsDrifts } from "../drift/dns.ts";
import type { ExpectedDns } from "../drift/expected.ts";
import { pulumiOutput } from "../engine/run.ts";
import type { StackContext } from "../stack/context.ts";

/** After a run: the records that its operator makes by hand, and which of them are not served yet. */
export async function reportManualRecords(context: StackContext, report: (line: string) => void): Promise<void> {
  const text = await pulumiOutput(context, ["stack", "output", "--json", "--stack", context.stack]);
  const { dns } = JSON.parse(text) as { dns?: Pick<ExpectedDns, "zone" | "records"> | null };
  if (!dns) return;
  const missing = await dnsDrifts({ ...dns, kept: [], urn: "", secrets: {} }, context);
  if (missing.length === 0)
    return report(`DNS: the name servers of ${dns.zone} serve all ${dns.records.length} records`);
  report(`DNS: the zone ${dns.zone} has to hold these records, which no provider is set for (vpai:dns):`);
  for (const record of dns.records) report(`  ${zoneLine(record, dns.zone)}`);
  for (const { resource, actual } of missing) report(`! ${resource}: ${actual}`);
}

import { appliedFingerprint } from "../deletion/plan-fingerprint.ts";
import type { Expected } from "../drift/expected.ts";
import type { StackContext } from "../stack/context.ts";
import { digestOf, forgetConverged, serverRecordOf, withoutSecrets, writeConverged } from "./record.ts";
import { writeServerRecord } from "./server.ts";

/**
 * Leaves what a run without the engine needs, after a successful run of everything whose server was inspected.
 *
 * @param program `programFingerprint` before the run: what has been edited since was not applied
 */
export async function rememberConverged(
  context: StackContext,
  expected: Expected | undefined,
  program: string | undefined,
  fakes: readonly string[] = [],
): Promise<void> {
  const fingerprint = appliedFingerprint(context, program);
  await forgetConverged(context.workDir);
  if (expected === undefined || fingerprint === undefined) return;
  const record = serverRecordOf(expected, fingerprint);
  if (!(await writeServerRecord(context, record))) return;
  const { links } = expected;
  const serverRecord = digestOf(record);
  await writeConverged(context.workDir, {
    fingerprint,
    serverRecord,
    links,
    fakes,
    expected: withoutSecrets(expected),
  });
}

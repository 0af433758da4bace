import type { Fault } from "../../shared/errors.ts";
import { textTable } from "../stack/text-table.ts";
import type { Result } from "./checks.ts";

const seconds = (ms: number): string => (ms / 1000).toFixed(2);

const count = (results: readonly Result[], outcome: Result["outcome"]): number =>
  results.filter((result) => result.outcome === outcome).length;

/** `30 passed, 0 failed, 2 skipped`. */
export const smokeCounts = (results: readonly Result[]): string =>
  (["passed", "failed", "skipped"] as const).map((outcome) => `${count(results, outcome)} ${outcome}`).join(", ");

export function smokeTable(results: readonly Result[]): string {
  const rows = results.map((each) => [each.service, each.name, each.place, each.outcome, `${seconds(each.ms)} s`]);
  const reasons = results.flatMap(({ service, name, place, outcome, found, expected }) => {
    if (found === undefined) return [];
    return [`${outcome}: ${service}, ${name} (${place}): ${found}${expected ? `; expected ${expected}` : ""}`];
  });
  return [textTable(["SERVICE", "CHECK", "FROM", "RESULT", "TIME"], rows), ...reasons, smokeCounts(results), ""].join(
    "\n",
  );
}

/** One fault for each check that failed. */
export const smokeFaults = (results: readonly Result[], stack: string, instance: string): Fault[] =>
  results.flatMap(({ service, name, place, outcome, found, expected }) =>
    outcome !== "failed"
      ? []
      : [
          {
            key: `smoke test of ${service} (${place}): ${name}`,
            found: found ?? "failed",
            ...(expected && { allowed: expected }),
            fix: `look at \`vpai ssh --stack ${stack}${instance} -- docker logs --tail 50 ${service}\`, then \`vpai smoke --stack ${stack}${instance}\` again`,
          },
        ],
  );

const escaped = (text: string): string =>
  text
    // Control characters are not allowed in XML, not even escaped.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "?")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");

/** JUnit's XML, as CI servers read it. */
export function smokeJunit(results: readonly Result[], stack: string): string {
  const total = seconds(results.reduce((sum, { ms }) => sum + ms, 0));
  const cases = results.map(({ service, name, place, outcome, ms, found = "", expected = "" }) => {
    const head = `    <testcase classname="${escaped(service)}" name="${escaped(`${name} (${place})`)}" time="${seconds(ms)}"`;
    if (outcome === "passed") return `${head}/>`;
    const inner =
      outcome === "skipped"
        ? `<skipped message="${escaped(found)}"/>`
        : `<failure message="${escaped(found)}">${escaped(`expected ${expected}`)}</failure>`;
    return `${head}>${inner}</testcase>`;
  });
  const counts = `tests="${results.length}" failures="${count(results, "failed")}" skipped="${count(results, "skipped")}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    `  <testsuite name="smoke ${escaped(stack)}" ${counts} time="${total}">`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

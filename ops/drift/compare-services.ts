import type { Actual } from "./actual.ts";
import type { Drift, Repair } from "./drift.ts";
import type { Expected, ExpectedProbe, ExpectedReadback } from "./expected.ts";

/** What was set in the services: roles, databases, accounts, keys, collections. Of a service that is not healthy nothing is known. */
export function compareServices(expected: Expected, actual: Actual): Drift[] {
  return [...compareReadbacks(expected, actual), ...compareProbes(expected, actual)];
}

/** The same words, in any order. */
const sameWords = (a: string, b: string): boolean => {
  const sorted = (text: string): string => text.split(" ").toSorted().join(" ");
  return sorted(a) === sorted(b);
};

function compareReadbacks({ readbacks, stack }: Expected, actual: Actual): Drift[] {
  const answers = actual.readbacks.flatMap((each) => each ?? []);
  return [...Map.groupBy(readbacks, ({ container }) => container)].flatMap(([container, wanted]) => {
    const answered = answers.filter((each) => each.container === container);
    if (answered.length === 0) return [];
    const error = answered.find((each) => each.error !== "")?.error;
    if (error !== undefined) return [unread(container, error)];
    const found = new Map(answered.flatMap(({ lines }) => lines).map(splitLine));
    return [...wanted.flatMap((each) => compareReadback(each, found, stack)), ...unknownLines(wanted, found)];
  });
}

const unread = (container: string, error: string): Drift => ({
  resource: `what is set in ${container}`,
  expected: "an answer",
  actual: error,
  repair: { kind: "manual", fix: `see \`docker logs ${container}\` on the server` },
});

function splitLine(line: string): [what: string, value: string] {
  const at = line.indexOf("|");
  return [line.slice(0, at), line.slice(at + 1)];
}

function compareReadback(
  { lines, repair, resource }: ExpectedReadback,
  found: ReadonlyMap<string, string>,
  stack: string,
): Drift[] {
  const lost = lines.find(({ what, holdsData }) => holdsData === true && !found.has(what));
  if (lost) {
    return [{ resource: lost.what, expected: lost.value, actual: "not found", repair: lostData(resource, stack) }];
  }
  return lines.flatMap(({ what, value }): Drift[] => {
    const actual = found.get(what) ?? "not found";
    return sameWords(value, actual) ? [] : [{ resource: what, expected: value, actual, repair }];
  });
}

/** Lines of what the program made none of, such as an account; only where a command lists everything there is. */
function unknownLines(wanted: readonly ExpectedReadback[], found: ReadonlyMap<string, string>): Drift[] {
  const known = new Set(wanted.flatMap(({ lines }) => lines.map(({ what }) => what)));
  const [{ repair } = { repair: undefined }] = wanted;
  return [...found].flatMap(([what, actual]) =>
    known.has(what) || repair === undefined ? [] : [{ resource: what, expected: "none", actual, repair }],
  );
}

/** The container is replaced with it: it fills what it finds empty when it starts. */
function lostData(resource: string, stack: string): Repair {
  const service = resource.replace(/-[a-z]+$/, "");
  const replace = [resource, `${service}-container`].map((name) => `--replace '**::${name}'`).join(" ");
  return {
    kind: "lost",
    fix: `put it back from a backup; or start without its data: \`vpai up --skip-inspect --stack ${stack} -- ${replace}\``,
  };
}

function compareProbes({ probes, stack }: Expected, actual: Actual): Drift[] {
  return probes.flatMap((probe, index) => {
    const answer = actual.probes[index];
    return answer ? compareProbe(probe, answer, stack) : [];
  });
}

type Answer = NonNullable<Actual["probes"][number]>;

function compareProbe(
  { name, container, satisfiedBy, holdsData, resource }: ExpectedProbe,
  { status, json }: Answer,
  stack: string,
): Drift[] {
  const [difference] = satisfiedBy.map((each) =>
    each.status === status ? firstDifference(each.json, json) : ([String(each.status), statusText(status)] as const),
  );
  const satisfied = satisfiedBy.some(
    (each) => each.status === status && firstDifference(each.json, json) === undefined,
  );
  if (satisfied || difference === undefined) return [];
  const [expected, actualText] = difference;
  const lost = holdsData && status === 404;
  const repair: Repair = lost ? lostData(resource, stack) : { kind: "provision", name: resource };
  return [{ resource: `${name} in ${container}`, expected, actual: lost ? "not found" : actualText, repair }];
}

const statusText = (status: number): string => (status === 0 ? "no answer" : `status ${status}`);

/** The first member of `wanted` that `found` has not, with both values; numbers and texts are compared as JSON. */
export function firstDifference(
  wanted: unknown,
  found: unknown,
  path = "",
): readonly [expected: string, actual: string] | undefined {
  if (wanted === undefined) return undefined;
  const isList = Array.isArray(wanted);
  const alike = isList ? Array.isArray(found) && found.length === wanted.length : isObject(found);
  if (isObject(wanted) && alike) {
    for (const [key, value] of Object.entries(wanted)) {
      const difference = firstDifference(value, (found as Record<string, unknown>)[key], `${path}.${key}`);
      if (difference) return difference;
    }
    return undefined;
  }
  const [a, b] = [JSON.stringify(wanted), JSON.stringify(found) ?? "not set"];
  const name = path === "" ? "answer" : path.slice(1);
  return a === b ? undefined : [`${name} ${a}`, `${name} ${b}`];
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

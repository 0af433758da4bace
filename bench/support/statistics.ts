/** A series of wall times, in milliseconds. */
export interface Times {
  readonly runs: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Throws on an empty series: there is nothing to say about it. */
export function summarise(samples: readonly number[]): Times {
  const sorted = samples.toSorted((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  if (min === undefined || max === undefined) throw new Error("no samples");
  const upper = sorted[Math.floor(sorted.length / 2)] ?? max;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? min;
  return { runs: sorted.length, min, median: (lower + upper) / 2, max };
}

/** How many times the stack's no-op has to be as fast as Ansible's. */
export const FASTER_THAN_ANSIBLE = 5;
/** What a resource may cost above the floor, in milliseconds. */
export const MS_A_RESOURCE = 25;

export interface Verdict {
  /** Ansible's median over ours. */
  readonly ratio: number;
  readonly ratioHolds: boolean;
  /** Median above the floor's, by resource, in milliseconds. */
  readonly msAResource: number;
  readonly msHolds: boolean;
}

/** What the medians say of the two promises. */
export function compare(ours: Times, floor: Times, ansible: Times, resources: number): Verdict {
  const ratio = ansible.median / ours.median;
  const msAResource = (ours.median - floor.median) / resources;
  return { ratio, ratioHolds: ratio >= FASTER_THAN_ANSIBLE, msAResource, msHolds: msAResource <= MS_A_RESOURCE };
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;

/** A table of series, one a line, columns aligned. */
export function renderTimes(rows: readonly (readonly [title: string, times: Times])[]): string {
  const cells = [
    ["", "runs", "min", "median", "max"],
    ...rows.map(([title, { runs, min, median, max }]) => [title, String(runs), ...[min, median, max].map(seconds)]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  "),
    )
    .join("\n");
}

/** The two promises, and whether they hold. */
export function renderVerdict(verdict: Verdict): string {
  const say = (holds: boolean): string => (holds ? "holds" : "DOES NOT HOLD");
  return [
    `ansible / ours: ${verdict.ratio.toFixed(1)} (promised: at least ${FASTER_THAN_ANSIBLE}) – ${say(verdict.ratioHolds)}`,
    `(ours − floor) / resources: ${verdict.msAResource.toFixed(1)} ms (promised: at most ${MS_A_RESOURCE}) – ${say(verdict.msHolds)}`,
  ].join("\n");
}

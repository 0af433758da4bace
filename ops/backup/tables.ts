import { bytes } from "../images/prune-plan.ts";
import { textTable } from "../stack/text-table.ts";

/** One item, as backup.py knows it. Times in seconds since 1970; members are missing until it was first saved. */
export interface SavedItem {
  /** `service/item`. */
  readonly path: string;
  readonly at?: number;
  readonly bytes?: number;
  readonly snapshot?: string;
  /** Why the last run did not save it; null when it did. */
  readonly error?: string | null;
}

/** What `backup list` prints. */
export interface BackupList {
  readonly repository: string;
  readonly items: readonly SavedItem[];
  readonly snapshots: readonly { readonly id: string; readonly time: string; readonly path: string }[];
}

/** What `backup plan` prints. */
export interface RestorePlan {
  readonly items: readonly { readonly path: string; readonly snapshot: string; readonly time: string }[];
  /** Services that are stopped meanwhile; the restored one first. */
  readonly stops: readonly string[];
}

/** How long ago, in the largest unit that there are two of. */
export function age(seconds: number): string {
  for (const [unit, length] of [
    ["days", 86_400],
    ["h", 3600],
    ["min", 60],
  ] as const) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit}`;
  }
  return `${Math.max(0, Math.floor(seconds))} s`;
}

/** One line an item: its newest copy, and what came of the last run. `now` in milliseconds. */
export function backupsTable({ repository, items, snapshots }: BackupList, now: number): string {
  const rows = items.map(({ path, at, bytes: size, snapshot, error }) => {
    const times = snapshots.filter((each) => each.path === path).map(({ time }) => time);
    return [
      path,
      at === undefined ? "never" : `${age(now / 1000 - at)} ago`,
      size === undefined ? "-" : bytes(size),
      snapshot ?? "-",
      String(times.length),
      times.length === 0 ? "-" : (times.toSorted()[0] ?? "").slice(0, 10),
      error ?? (at === undefined ? "not yet saved" : "saved"),
    ];
  });
  return `${repository}\n${textTable(["ITEM", "NEWEST", "SIZE", "SNAPSHOT", "COPIES", "OLDEST", "LAST RUN"], rows)}`;
}

/** What a restore overwrites, before it is asked for. */
export function restoreText(
  service: string,
  stack: string,
  { items, stops }: RestorePlan,
  withoutSafety = false,
): string {
  const others = stops.filter((each) => each !== service);
  return [
    `${service} on stack ${stack} is overwritten with:`,
    ...items.map(
      ({ path, snapshot, time }) => `  ${path} of ${new Date(time).toISOString().slice(0, 19)}Z, snapshot ${snapshot}`,
    ),
    withoutSafety ? "What it has now is lost." : "What it has now is saved first, and comes back if the restore fails.",
    ...(others.length === 0 ? [] : [`Stopped meanwhile: ${others.join(", ")}`]),
  ].join("\n");
}

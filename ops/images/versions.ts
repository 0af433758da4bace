/** The numbers of a tag's version: `v1.93.0-alpine` → 1, 93, 0. What follows them says which kind of image it is. */
export function versionOf(tag: string): number[] {
  return (/\d+(?:\.\d+)*/.exec(tag)?.[0] ?? "").split(".").filter(Boolean).map(Number);
}

/** Below zero when `a` is the older. */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [versionOf(a), versionOf(b)];
  for (let at = 0; at < Math.max(first.length, second.length); at += 1) {
    const difference = (first[at] ?? 0) - (second[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What is newer than the pinned tag. */
export interface Newer {
  /** The newest of the same major version. */
  readonly same?: string;
  /** The newest of all, where that is another major version. */
  readonly major?: string;
}

/** @param versions matches the tags that are versions of the same kind of image */
export function newerThan(current: string, tags: readonly string[], versions: string): Newer {
  const kind = new RegExp(versions);
  const newer = tags.filter((tag) => kind.test(tag) && compareVersions(tag, current) > 0).toSorted(compareVersions);
  const same = newer.findLast((tag) => versionOf(tag)[0] === versionOf(current)[0]);
  const newest = newer.at(-1);
  return { ...(same !== undefined && { same }), ...(newest !== undefined && newest !== same && { major: newest }) };
}

/** The link to a tag's release notes. */
export function notesOf(template: string, tag: string): string {
  return template.replaceAll("{tag}", tag).replaceAll("{version}", versionOf(tag).join("."));
}

/**
 * Runs `build` without stack traces. The SDK takes one for every property of every resource, and formatting them is
 * half of the time of a run that changes nothing; set back afterwards, so that real errors have theirs.
 *
 * Node's own formatting stays: the SDK's maps each line of each trace back to its sources, most of them of promises
 * that are never shown, and ours are not compiled.
 */
export function suppressStackTraces<T>(build: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  Error.prepareStackTrace = undefined as never;
  try {
    return build();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

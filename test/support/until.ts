/**
 * Waits until `probe` gives something other than undefined, and returns it. A probe that throws counts as not yet.
 * Fails after `deadlineMs`, telling what was seen last.
 */
export async function until<T>(what: string, deadlineMs: number, probe: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + deadlineMs;
  let last = "nothing yet";
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
      last = "the condition does not hold";
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${deadlineMs} ms; last seen: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

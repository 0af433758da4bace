/** What a server says of its memory, in MB. */
export interface LiveMemory {
  /** By container: what the kernel cannot take back at once. Without those that do not run. */
  readonly usedMb: ReadonlyMap<string, number>;
  readonly server: { readonly totalMb: number; readonly availableMb: number; readonly swapMb: number };
}

/** Docker's figure is the control group's use without its inactive files. */
export const MEMORY_COMMAND = `docker stats --no-stream --format '{{.Name}} {{.MemUsage}}' && grep -E '^(MemTotal|MemAvailable|SwapTotal):' /proc/meminfo`;

/** @throws Error when a line is not what {@link MEMORY_COMMAND} prints */
export function parseLiveMemory(text: string): LiveMemory {
  const usedMb = new Map<string, number>();
  const kernel = new Map<string, number>();
  for (const line of text.split("\n").filter((each) => each.trim() !== "")) {
    const [, name, size, unit] = /^(\S+) ([\d.]+)([KMGT]?i?B) \//.exec(line) ?? [];
    const [, key, kilobytes] = /^(\w+): +(\d+) kB$/.exec(line) ?? [];
    if (name !== undefined) usedMb.set(name, Math.round(Number(size) * (MB[unit ?? ""] ?? Number.NaN)));
    else if (key !== undefined) kernel.set(key, Math.round(Number(kilobytes) / 1024));
    else throw new Error(`not a line of docker stats or /proc/meminfo: ${line}`);
  }
  const of = (key: string): number => kernel.get(key) ?? 0;
  return { usedMb, server: { totalMb: of("MemTotal"), availableMb: of("MemAvailable"), swapMb: of("SwapTotal") } };
}

/** Docker's units in MB of 1024 × 1024 bytes, as limits are counted. */
const MB: Readonly<Record<string, number>> = { B: 2 ** -20, KiB: 2 ** -10, MiB: 1, GiB: 1024, TiB: 1024 ** 2 };

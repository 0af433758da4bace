/** ISO 8601 as Hetzner writes it: whole seconds, numeric offset. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "+00:00");
}

/** Memory and cores of a Hetzner server type. */
export interface ServerType {
  readonly memoryMb: number;
  readonly cores: number;
}

const gb = (memory: number, cores: number): ServerType => ({ memoryMb: memory * 1024, cores });

/** Shared-core types and the smaller dedicated ones (docs.hetzner.com, cloud servers). Others need `vps.memoryMb`. */
export const SERVER_TYPES: Readonly<Record<string, ServerType>> = {
  cx23: gb(4, 2),
  cx33: gb(8, 4),
  cx43: gb(16, 8),
  cx53: gb(32, 16),
  cpx11: gb(2, 2),
  cpx21: gb(4, 3),
  cpx22: gb(4, 2),
  cpx31: gb(8, 4),
  cpx32: gb(8, 4),
  cpx41: gb(16, 8),
  cpx42: gb(16, 8),
  cpx51: gb(32, 16),
  cpx52: gb(24, 12),
  cpx62: gb(32, 16),
  cax11: gb(4, 2),
  cax21: gb(8, 4),
  cax31: gb(16, 8),
  cax41: gb(32, 16),
  ccx13: gb(8, 2),
  ccx23: gb(16, 4),
  ccx33: gb(32, 8),
  ccx43: gb(64, 16),
};

/** Hetzner's locations (docs.hetzner.com, locations). */
export const LOCATIONS = ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"] as const;
export type Location = (typeof LOCATIONS)[number];

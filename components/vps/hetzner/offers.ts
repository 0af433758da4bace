// Derived from sandbox/hetzner/state/offers.json by `vpai sandbox refresh-offers` or `vpai lint --write`.

/** The date of this table. */
export const AS_OF = "2026-04-01";

/** Memory and cores of Hetzner's server types. Others need `vps.memoryMb`. */
export const SERVER_TYPES: Readonly<Record<string, { readonly memoryMb: number; readonly cores: number }>> = {
  cax11: { memoryMb: 4096, cores: 2 },
  cax21: { memoryMb: 8192, cores: 4 },
  cax31: { memoryMb: 16384, cores: 8 },
  cax41: { memoryMb: 32768, cores: 16 },
  ccx13: { memoryMb: 8192, cores: 2 },
  ccx23: { memoryMb: 16384, cores: 4 },
  ccx33: { memoryMb: 32768, cores: 8 },
  ccx43: { memoryMb: 65536, cores: 16 },
  cpx11: { memoryMb: 2048, cores: 2 },
  cpx21: { memoryMb: 4096, cores: 3 },
  cpx22: { memoryMb: 4096, cores: 2 },
  cpx31: { memoryMb: 8192, cores: 4 },
  cpx32: { memoryMb: 8192, cores: 4 },
  cpx41: { memoryMb: 16384, cores: 8 },
  cpx42: { memoryMb: 16384, cores: 8 },
  cpx51: { memoryMb: 32768, cores: 16 },
  cpx52: { memoryMb: 24576, cores: 12 },
  cpx62: { memoryMb: 32768, cores: 16 },
  cx23: { memoryMb: 4096, cores: 2 },
  cx33: { memoryMb: 8192, cores: 4 },
  cx43: { memoryMb: 16384, cores: 8 },
  cx53: { memoryMb: 32768, cores: 16 },
};

export const LOCATIONS = ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"] as const;

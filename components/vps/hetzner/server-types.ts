import type { LOCATIONS } from "./offers.ts";

export { LOCATIONS, SERVER_TYPES } from "./offers.ts";

export type Location = (typeof LOCATIONS)[number];

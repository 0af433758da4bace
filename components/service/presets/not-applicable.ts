import type { NotApplicable } from "../model/facets.ts";

/** For a facet that a service does not have. */
export const notApplicable = (reason: string): NotApplicable => ({ reason });

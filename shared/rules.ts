import { z } from "zod";

/** Building blocks of schemas. The message of each rule is what an operator is shown as allowed. */
export const text = (allowed: string, test: (value: string) => boolean = (value) => value.length > 0) =>
  z.string({ error: allowed }).refine(test, { error: allowed });

export const whole = (min: number, max: number, allowed: string) =>
  z.int({ error: allowed }).min(min, { error: allowed }).max(max, { error: allowed });

export const flag = () => z.boolean({ error: "true or false" });

export const choice = <const V extends readonly [string, ...string[]]>(values: V) =>
  z.enum(values, { error: values.join(", ") });

export const cidr = (allowed: string) => z.union([z.cidrv4(), z.cidrv6()], { error: allowed });

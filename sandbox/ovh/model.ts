import { z } from "zod";

/** A record of OVH's API (`domain.zone.Record`). */
export interface OvhRecord {
  readonly id: number;
  readonly zone: string;
  readonly subDomain: string;
  readonly fieldType: string;
  readonly target: string;
  readonly ttl: number;
}

/** Served until the next refresh, whatever the API holds. */
export interface OvhZone {
  readonly name: string;
  records: OvhRecord[];
  served: readonly OvhRecord[];
  serial: number;
}

/** A right of a consumer key: `*` in a path stands for any text. */
export interface AccessRule {
  readonly method: string;
  readonly path: string;
}

/** What a caller may use the API with. */
export interface OvhAccount {
  readonly applicationKey: string;
  readonly applicationSecret: string;
  readonly consumerKey: string;
  readonly rules: readonly AccessRule[];
}

/** An answer that refuses a request: `{"message": …}`. */
export class OvhRefusal extends Error {
  readonly status: number;
  readonly errorCode: string | undefined;

  constructor(status: number, message: string, errorCode?: string) {
    super(message);
    this.name = "OvhRefusal";
    this.status = status;
    this.errorCode = errorCode;
  }

  body(): { readonly message: string; readonly errorCode?: string } {
    return { message: this.message, ...(this.errorCode && { errorCode: this.errorCode }) };
  }
}

const TYPES = ["A", "AAAA", "CAA", "CNAME", "DNAME", "MX", "NS", "SRV", "TXT", "SPF", "TLSA"] as const;
const ttl = z.int().refine((value) => value === 0 || value >= 60);
const subDomain = z.string().regex(/^(\*\.)?([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?$/);

const created = z.object({
  fieldType: z.enum(TYPES),
  subDomain: subDomain.default(""),
  target: z.string().min(1),
  ttl: ttl.default(0),
});
const updated = z.object({
  subDomain: subDomain.optional(),
  target: z.string().min(1).optional(),
  ttl: ttl.optional(),
});

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const { success, data, error } = schema.safeParse(body ?? {});
  if (success) return data;
  const [issue] = error.issues;
  throw new OvhRefusal(400, `[${issue?.path.join(".")}] Given data is not valid: ${issue?.message}`);
}

/** DNS knows no name with a CNAME and something else. */
function checkName(zone: OvhZone, record: OvhRecord): void {
  const others = zone.records.filter(({ id, subDomain: name }) => id !== record.id && name === record.subDomain);
  const clash = others.some(({ fieldType }) => fieldType === "CNAME" || record.fieldType === "CNAME");
  if (clash) throw new OvhRefusal(409, `Subdomain already used: ${record.subDomain || "@"}`);
}

export function createRecord(zone: OvhZone, id: number, body: unknown): OvhRecord {
  const record = { id, zone: zone.name, ...checked(created, body) };
  checkName(zone, record);
  zone.records.push(record);
  return record;
}

export function requireRecord(zone: OvhZone, id: number): OvhRecord {
  const record = zone.records.find((each) => each.id === id);
  if (record === undefined) throw new OvhRefusal(404, `The requested object (id = ${id}) does not exist`);
  return record;
}

export function updateRecord(zone: OvhZone, id: number, body: unknown): void {
  const record = requireRecord(zone, id);
  const {
    subDomain: name = record.subDomain,
    target = record.target,
    ttl: seconds = record.ttl,
  } = checked(updated, body);
  const changed = { ...record, subDomain: name, target, ttl: seconds };
  checkName(zone, changed);
  zone.records = zone.records.map((each) => (each.id === id ? changed : each));
}

export function removeRecord(zone: OvhZone, id: number): void {
  requireRecord(zone, id);
  zone.records = zone.records.filter((each) => each.id !== id);
}

export function refresh(zone: OvhZone): void {
  zone.served = [...zone.records];
  zone.serial += 1;
}

/** OVH's rules: the path of the API below its version, `*` at any place. */
export function isGranted(rules: readonly AccessRule[], method: string, path: string): boolean {
  return rules.some((rule) => {
    const pattern = rule.path.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return rule.method === method && new RegExp(`^${pattern.join(".*")}$`).test(path);
  });
}

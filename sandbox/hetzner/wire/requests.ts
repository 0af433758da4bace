import type { FastifyRequest } from "fastify";
import { z } from "zod";

import { invalidBody, invalidField, notFound } from "./errors.ts";
import { isLabelKey, isLabelValue } from "./labels.ts";

/** The request's body by its schema; an empty body is `{}`. */
export function body<T>(schema: z.ZodType<T>, request: FastifyRequest): T {
  const parsed = schema.safeParse(request.body ?? {});
  if (!parsed.success) {
    throw invalidBody(parsed.error);
  }
  return parsed.data;
}

/** The `id` (or another parameter) of the path. */
export function pathId(request: FastifyRequest, what: string, name = "id"): number {
  const text = (request.params as Record<string, string>)[name] ?? "";
  if (!/^\d+$/.test(text)) {
    throw notFound(what, text);
  }
  return Number(text);
}

export const id = z.int().positive();
export const idOrName = z.union([id, z.string().min(1)]);
export const nothing = z.strictObject({});

export const labels = z.record(z.string(), z.string()).check((context) => {
  for (const [key, value] of Object.entries(context.value)) {
    if (!isLabelKey(key) || !isLabelValue(value)) {
      context.issues.push({
        code: "custom",
        message: `'${key}: ${value}' is not a valid label`,
        input: value,
        path: [],
      });
    }
  }
});

/** RFC 1123 host name, as servers must be called. */
export const hostname = z
  .string()
  .max(253, "must be a valid hostname")
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i,
    "must be a valid hostname (letters, digits, periods and dashes)",
  );

export const resourceName = z.string().min(1).max(128);

const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ipv4Cidr = new RegExp(`^${octet}(\\.${octet}){3}/(3[0-2]|[12]?\\d)$`);
const ipv6Cidr = /^(?=.*:)[0-9a-fA-F:.]{2,45}\/(12[0-8]|1[01]\d|[1-9]?\d)$/;
const cidr = z.string().refine((text) => ipv4Cidr.test(text) || ipv6Cidr.test(text), "must be in CIDR notation");

/** Ports are strings, `80` or `1000-2000`, or `any`; only for tcp and udp, and required there. */
export const firewallRule = z
  .strictObject({
    direction: z.enum(["in", "out"]),
    protocol: z.enum(["tcp", "udp", "icmp", "esp", "gre"]),
    port: z.string().nullish(),
    source_ips: z.array(cidr).max(100).nullish(),
    destination_ips: z.array(cidr).max(100).nullish(),
    description: z.string().max(255).nullish(),
  })
  .check((context) => {
    const fault = (path: string, message: string): void => {
      context.issues.push({ code: "custom", message, input: context.value, path: [path] });
    };
    const { direction, protocol, port, source_ips, destination_ips } = context.value;
    const ported = protocol === "tcp" || protocol === "udp";
    if (ported ? !isPort(port) : (port ?? null) !== null) {
      fault("port", ported ? "must be a port, a range like 1000-2000, or any" : `is not allowed with ${protocol}`);
    }
    const [needed, name, other, otherName] =
      direction === "in"
        ? [source_ips, "source_ips", destination_ips, "destination_ips"]
        : [destination_ips, "destination_ips", source_ips, "source_ips"];
    if ((needed ?? []).length === 0) {
      fault(name as string, `is required for direction ${direction}`);
    }
    if ((other ?? []).length > 0) {
      fault(otherName as string, `is not allowed for direction ${direction}`);
    }
  });

function isPort(port: string | null | undefined): boolean {
  if (port === "any") {
    return true;
  }
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(port ?? "");
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  return match !== null && first >= 1 && first <= last && last <= 65535;
}

/** `location`, or the `datacenter` that old clients still send (`fsn1-dc14`), which left the real API in July 2026. */
export function locationName(location: string | undefined, datacenter: string | undefined): string | undefined {
  if (location !== undefined && datacenter !== undefined) {
    throw invalidField("datacenter", "must not be used together with location");
  }
  return location ?? datacenter?.split("-")[0];
}

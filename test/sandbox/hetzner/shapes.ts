import { z } from "zod";

// The shapes of the API's responses by hand: names of fields, types, what may be null. Strict: a field more or less
// is a mismatch. Written from https://docs.hetzner.cloud, not from the simulator.

const id = z.int().positive();
const time = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/);
const decimal = z.string().regex(/^\d+\.\d+$/);
const labels = z.record(z.string(), z.string());
const o = z.strictObject;
const text = z.string().min(1);
const deletable = o({ delete: z.boolean() });
const price = o({ net: decimal, gross: decimal });
const deprecation = o({ announced: time, unavailable_after: time }).nullable();
const version = z.enum(["ipv4", "ipv6"]);
const architecture = z.enum(["x86", "arm"]);
const dnsPtr = z.array(o({ ip: text, dns_ptr: text }));

const action = o({
  id,
  command: text,
  status: z.enum(["running", "success", "error"]),
  progress: z.int().min(0).max(100),
  started: time,
  finished: time.nullable(),
  error: o({ code: text, message: text }).nullable(),
  resources: z.array(o({ id, type: text })),
});
const location = o({
  id,
  name: text,
  description: text,
  country: text,
  city: text,
  latitude: z.number(),
  longitude: z.number(),
  network_zone: text,
});
const typePrice = o({
  location: text,
  price_hourly: price,
  price_monthly: price,
  included_traffic: z.int(),
  price_per_tb_traffic: price,
});
const serverType = o({
  id,
  name: text,
  description: text,
  category: text,
  cores: z.int(),
  memory: z.number(),
  disk: z.number(),
  deprecated: z.boolean().nullable(),
  deprecation,
  prices: z.array(typePrice),
  storage_type: z.enum(["local", "network"]),
  cpu_type: z.enum(["shared", "dedicated"]),
  architecture,
  locations: z.array(o({ id, name: text, deprecation, available: z.boolean(), recommended: z.boolean() })),
});
const image = o({
  id,
  type: z.enum(["system", "snapshot", "backup", "app"]),
  status: z.enum(["available", "creating", "unavailable"]),
  name: text.nullable(),
  description: z.string(),
  image_size: z.number().nullable(),
  disk_size: z.number(),
  created: time,
  created_from: o({ id, name: text }).nullable(),
  bound_to: id.nullable(),
  os_flavor: text,
  os_version: text.nullable(),
  rapid_deploy: z.boolean(),
  protection: deletable,
  deprecated: time.nullable(),
  deleted: time.nullable(),
  labels,
  architecture,
});
const ipv4 = o({ id, ip: text, blocked: z.boolean(), dns_ptr: text.nullable() });
const ipv6 = o({ id, ip: text, blocked: z.boolean(), dns_ptr: dnsPtr });
const server = o({
  id,
  name: text,
  status: text,
  created: time,
  public_net: o({
    ipv4: ipv4.nullable(),
    ipv6: ipv6.nullable(),
    floating_ips: z.array(id),
    firewalls: z.array(o({ id, status: z.enum(["applied", "pending"]) })),
  }),
  private_net: z.tuple([]),
  server_type: serverType,
  location,
  image: image.nullable(),
  iso: z.null(),
  rescue_enabled: z.boolean(),
  locked: z.boolean(),
  backup_window: z
    .string()
    .regex(/^\d\d-\d\d$/)
    .nullable(),
  outgoing_traffic: z.int().nullable(),
  ingoing_traffic: z.int().nullable(),
  included_traffic: z.int().nullable(),
  protection: o({ delete: z.boolean(), rebuild: z.boolean() }),
  labels,
  volumes: z.array(id),
  load_balancers: z.array(id),
  primary_disk_size: z.int(),
  placement_group: z.null(),
});
const primaryIp = o({
  id,
  name: text,
  type: version,
  ip: text,
  location,
  created: time,
  labels,
  assignee_id: id.nullable(),
  assignee_type: z.enum(["server", "unassigned"]),
  auto_delete: z.boolean(),
  blocked: z.boolean(),
  protection: deletable,
  dns_ptr: dnsPtr,
});
const serverTarget = o({ type: z.literal("server"), server: o({ id }) });
const selectorTarget = o({
  type: z.literal("label_selector"),
  label_selector: o({ selector: text }),
  applied_to_resources: z.array(serverTarget),
});
const firewall = o({
  id,
  name: text,
  labels,
  created: time,
  rules: z.array(
    o({
      direction: z.enum(["in", "out"]),
      protocol: z.enum(["tcp", "udp", "icmp", "esp", "gre"]),
      port: text.nullable(),
      description: z.string().nullable(),
      source_ips: z.array(text),
      destination_ips: z.array(text),
    }),
  ),
  applied_to: z.array(z.discriminatedUnion("type", [serverTarget, selectorTarget])),
});
const sshKey = o({ id, name: text, fingerprint: text, public_key: text, labels, created: time });
const volume = o({
  id,
  name: text,
  server: id.nullable(),
  status: z.enum(["available", "creating"]),
  location,
  size: z.int(),
  format: text.nullable(),
  protection: deletable,
  labels,
  linux_device: text,
  created: time,
});
const monthly = z.array(o({ location: text, price_monthly: price }));
const pricing = o({
  currency: text,
  vat_rate: decimal,
  server_types: z.array(o({ id, name: text, prices: z.array(typePrice) })),
  primary_ips: z.array(
    o({ type: version, prices: z.array(o({ location: text, price_hourly: price, price_monthly: price })) }),
  ),
  floating_ip: o({ price_monthly: price }),
  floating_ips: z.array(o({ type: version, prices: monthly })),
  load_balancer_types: z.array(z.unknown()),
  server_backup: o({ percentage: decimal }),
  image: o({ price_per_gb_month: price }),
  volume: o({ price_per_gb_month: price }),
});
const next = z.int().positive().nullable();
const meta = o({
  pagination: o({
    page: z.int().positive(),
    per_page: z.int().positive(),
    previous_page: next,
    next_page: next,
    last_page: next,
    total_entries: z.int().min(0).nullable(),
  }),
});
const error = o({ error: o({ code: text, message: text, details: z.unknown() }) });

const acted = o({ action });
const withPassword = o({ action, root_password: text });
const resources = { server, primary_ip: primaryIp, firewall, image, volume, ssh_key: sshKey };
const readable = { ...resources, server_type: serverType, location };

/** Request (ids as `{id}`) → the shape of its response when it succeeds; null for 204. */
export const shapes: Readonly<Record<string, z.ZodType | null>> = {
  ...Object.fromEntries(
    Object.entries(readable).flatMap(([key, shape]) => [
      [`GET /${key}s`, o({ [`${key}s`]: z.array(shape), meta })],
      [`GET /${key}s/{id}`, o({ [key]: shape })],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(resources).flatMap(([key, shape]) => [
      [`PUT /${key}s/{id}`, o({ [key]: shape })],
      [`DELETE /${key}s/{id}`, key === "server" ? acted : null],
      [`GET /${key}s/actions`, o({ actions: z.array(action), meta })],
      [`GET /${key}s/actions/{id}`, acted],
      [`GET /${key}s/{id}/actions`, o({ actions: z.array(action), meta })],
      [`GET /${key}s/{id}/actions/{id}`, acted],
    ]),
  ),
  ...Object.fromEntries(
    [
      ...["poweron", "poweroff", "shutdown", "reboot", "reset", "change_type", "change_protection", "change_dns_ptr"],
      ...["disable_rescue", "enable_backup", "disable_backup"],
    ].map((name) => [`POST /servers/{id}/actions/${name}`, acted]),
  ),
  ...Object.fromEntries(
    ["assign", "unassign", "change_protection", "change_dns_ptr"].map((name) => [
      `POST /primary_ips/{id}/actions/${name}`,
      acted,
    ]),
  ),
  ...Object.fromEntries(
    ["attach", "detach", "resize", "change_protection"].map((name) => [`POST /volumes/{id}/actions/${name}`, acted]),
  ),
  ...Object.fromEntries(
    ["set_rules", "apply_to_resources", "remove_from_resources"].map((name) => [
      `POST /firewalls/{id}/actions/${name}`,
      o({ actions: z.array(action) }),
    ]),
  ),
  "GET /actions": o({ actions: z.array(action) }),
  "GET /actions/{id}": acted,
  "GET /pricing": o({ pricing }),
  "POST /servers": o({ server, action, next_actions: z.array(action), root_password: text.nullable() }),
  "POST /servers/{id}/actions/rebuild": o({ action, root_password: text.nullable() }),
  "POST /servers/{id}/actions/create_image": o({ image, action }),
  "POST /servers/{id}/actions/enable_rescue": withPassword,
  "POST /servers/{id}/actions/reset_password": withPassword,
  "POST /images/{id}/actions/change_protection": acted,
  "POST /primary_ips": o({ primary_ip: primaryIp, action: action.optional() }),
  "POST /firewalls": o({ firewall, actions: z.array(action) }),
  "POST /volumes": o({ volume, action, next_actions: z.array(action) }),
  "POST /ssh_keys": o({ ssh_key: sshKey }),
};

/** `GET /v1/servers/17?x=y` as a key of {@link shapes}: `GET /servers/{id}`. */
export function requestKey(method: string, path: string): string {
  return `${method} ${path
    .replace(/\?.*$/, "")
    .replace(/^\/v1/, "")
    .replace(/\/\d+(?=\/|$)/g, "/{id}")}`;
}

/** What is wrong with a response, one line a field; empty when it has its shape. */
export function mismatches(method: string, path: string, status: number, json: unknown): string[] {
  const key = requestKey(method, path);
  const shape = status >= 400 ? error : shapes[key];
  if (shape === undefined) {
    // Lists of what the sandbox does not have.
    return /^GET \/\w+$/.test(key) ? [] : [`${key}: no shape`];
  }
  const parsed = (shape ?? z.null()).safeParse(json);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path: at, message }) => `${key} ${status} ${at.join(".")}: ${message}`);
}

import { stringify } from "yaml";
import type { Described, DescribedService } from "./inspected.ts";

/** Options of `community.docker.docker_container` whose name and value are the same in a Compose file. */
const SAME = ["entrypoint", "command", "user", "init", "cap_drop", "read_only", "tmpfs", "cpus", "labels"] as const;

/** Options that Compose has under another name. */
const RENAMED: Readonly<Record<string, string>> = {
  env: "environment",
  restart_policy: "restart",
  healthcheck: "healthcheck",
  capabilities: "cap_add",
  security_opts: "security_opt",
  memory: "mem_limit",
  memory_swap: "memswap_limit",
  pids_limit: "pids_limit",
  cgroupns_mode: "cgroup",
  published_ports: "ports",
};

interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly read_only: boolean;
}

/** The Compose file of an ordinary project that makes a host what is described; files and data are there. */
export function renderComposeFile({ networks, services }: Described): string {
  const file = {
    services: Object.fromEntries(services.map((service) => [service.name, serviceOf(service)])),
    networks: Object.fromEntries(
      networks.map(({ name, internal, options, subnet, gateway }) => [
        name,
        { name, internal, driver_opts: options, ipam: { config: [{ subnet, gateway }] } },
      ]),
    ),
  };
  return stringify(literal(file), { lineWidth: 0, aliasDuplicateObjects: false });
}

function serviceOf({ name, image, options }: DescribedService): Record<string, unknown> {
  const networks = (options["networks"] as readonly { name: string }[]).map((each) => each.name);
  const own = networks.filter((network) => !["host", "bridge", "none"].includes(network));
  const mounts = options["mounts"] as readonly Mount[];
  const logging = { driver: options["log_driver"], options: options["log_options"] };
  return {
    container_name: name,
    image,
    ...Object.fromEntries(SAME.filter((key) => key in options).map((key) => [key, options[key]])),
    ...Object.fromEntries(
      Object.entries(RENAMED)
        .filter(([key]) => key in options)
        .map(([key, theirs]) => [theirs, options[key]]),
    ),
    ...(own.length > 0 ? { networks: own } : { network_mode: options["network_mode"] }),
    ...(mounts.length > 0 && { volumes: mounts }),
    logging,
  };
}

/** Compose reads `$` as the start of a variable. */
function literal(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (Array.isArray(value)) return value.map(literal);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, literal(each)]));
  return value;
}

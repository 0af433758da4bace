import { defineService, httpHealth, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { alerts, dashboards, LABEL } from "./monitoring.ts";

const PORT = 8080;
const LIMIT_MB = 128;

/** What each container takes: processors, memory, network, disk; and whether it keeps running. */
export const cadvisor = defineService({
  name: "cadvisor",
  image: images.cadvisor,
  networks: ["monitoring"],
  port: PORT,
  user: {
    uid: 0,
    gid: 0,
    rootReason: "Docker's socket and its directories belong to root; all rights of root are dropped",
  },
  command: [
    "--docker_only=true",
    // A label makes a series of its own of each value: this one alone is needed.
    "--store_container_labels=false",
    `--whitelisted_container_labels=${LABEL}`,
    // `disk` would walk through every container's files, which are of images, and needs rights to read them.
    "--enable_metrics=cpu,memory,network,diskIO",
    "--housekeeping_interval=30s",
    "--allow_dynamic_housekeeping=false",
    "--storage_duration=1m",
  ],
  hostMounts: [
    { source: "/", target: "/rootfs", why: "processes of containers, for their traffic, and Docker's files" },
    // A proxy will not do: cAdvisor maps control groups to containers through the socket only (P32).
    { source: "/var/run/docker.sock", target: "/var/run/docker.sock", why: "names and labels of containers" },
    { source: "/sys", target: "/sys", why: "control groups of all containers" },
    { source: "/var/lib/docker", target: "/var/lib/docker", why: "layers of containers" },
  ],
  // In a namespace of its own it sees one container: itself (P32).
  cgroup: "host",
  environment: () => ({ GOMEMLIMIT: `${Math.floor(LIMIT_MB * 0.85)}MiB` }),
  health: httpHealth(PORT, "/healthz", { startPeriodSeconds: 30, deadlineSeconds: 90 }),
  pids: 128,
  memory: { requestMb: 40, limitMb: LIMIT_MB },
  cpus: 0.5,
  stopGraceSeconds: 10,
  metrics: {},
  alerts,
  dashboards,
  backup: notApplicable("it keeps nothing"),
  smoke: [
    {
      name: "cAdvisor reports each container",
      exec: ["sh", "-c", `wget -q -O - http://127.0.0.1:${PORT}/metrics | grep -c '^container_last_seen.*name="..*"'`],
      prints: /^[1-9]\d*$/,
    },
  ],
  upgrade:
    "Older versions (0.55 among them) report the container's creation as container_start_time_seconds: restarts go unseen. " +
    "After an update, look whether the dashboard Containers still lists all of them by name.",
});

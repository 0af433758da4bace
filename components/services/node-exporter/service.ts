import { defineService, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { exporter } from "../../service/presets/exporter.ts";
import { alerts, dashboards } from "./monitoring.ts";

const PORT = 9100;
const LIMIT_MB = 48;

/** The rest is of machines with hardware, or (uname, conntrack, netstat) of the container itself. */
const COLLECTORS = [
  "cpu",
  "diskstats",
  "filefd",
  "filesystem",
  "loadavg",
  "meminfo",
  "os",
  "stat",
  "textfile",
  "vmstat",
];

/** Kernel interfaces. Overlay is not among them: containers' mounts are left out by path, and a root may be one. */
const NO_FILESYSTEMS =
  "autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|erofs|fuse.*|fusectl|hugetlbfs|iso9660|" +
  "mqueue|nsfs|proc|pstore|ramfs|rpc_pipefs|securityfs|squashfs|sysfs|tmpfs|tracefs";
/** Files and mounts of containers; the disk that holds them is reported. */
const NO_MOUNTS = "^/(dev|proc|run|sys)(/.+)?$|^/(etc|var/lib/containerd|var/lib/docker)/.+$|^/boot/efi$";

/** Metrics of the server's kernel: CPU, memory, disks. */
export const nodeExporter = defineService({
  name: "node-exporter",
  image: images["node-exporter"],
  // Its own network, not the host's: the collector of network devices would report the container's only, so it is off.
  networks: ["monitoring"],
  ...exporter({ port: PORT, requestMb: 26, limitMb: LIMIT_MB }),
  user: { uid: 65534, gid: 65534 },
  command: [
    "--path.procfs=/host/proc",
    "--path.sysfs=/host/sys",
    "--path.rootfs=/host/root",
    "--path.udev.data=/host/root/run/udev/data",
    "--collector.disable-defaults",
    ...COLLECTORS.map((name) => `--collector.${name}`),
    `--collector.filesystem.fs-types-exclude=^(${NO_FILESYSTEMS})$`,
    `--collector.filesystem.mount-points-exclude=${NO_MOUNTS}`,
    // What programs of the server itself write there, such as the backup.
    "--collector.textfile.directory=/host/root/var/lib/vpai",
    `--web.listen-address=:${PORT}`,
  ],
  hostMounts: [
    { source: "/proc", target: "/host/proc", why: "processors, memory, load and disks of the server" },
    { source: "/sys", target: "/host/sys", why: "the disks' names" },
    // Not a slave of the host's mounts: a disk mounted later is reported after the container is replaced.
    { source: "/", target: "/host/root", why: "how full each file system is" },
  ],
  alerts,
  dashboards,
  backup: notApplicable("it keeps nothing"),
  smoke: [
    {
      name: "node-exporter reports the server's memory",
      exec: ["sh", "-c", `wget -q -O - http://127.0.0.1:${PORT}/metrics | grep ^node_memory_MemAvailable_bytes`],
      prints: /^node_memory_MemAvailable_bytes [1-9]/,
    },
  ],
  upgrade:
    "The release notes list renamed metrics and flags: the dashboard Host and its alerts use what is in this file.",
});
